/* SPDX-License-Identifier: Apache-2.0 */
/* hand: the constants of all layers, laid out as their kernels want them; 308 bytes. */
#ifndef HAND_DATA_H
#define HAND_DATA_H

#include <stdint.h>

#include "te_section.h"

extern const int8_t hand_l00_bias[300] __attribute__((aligned(4))) TE_SECTION_WEIGHTS; /* what is added */
extern const uint32_t hand_l01_layer[2] __attribute__((aligned(4))) TE_SECTION_WEIGHTS;

#endif
