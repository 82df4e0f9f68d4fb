/* SPDX-License-Identifier: Apache-2.0 */
/* hand: the constants of all layers, laid out as their kernels want them; 308 bytes. */
#ifndef TE_MODEL_DATA_H
#define TE_MODEL_DATA_H

#include <stdint.h>

extern const int8_t te_model_l00_bias[300] __attribute__((aligned(4))); /* what is added */
extern const uint32_t te_model_l01_layer[2] __attribute__((aligned(4)));

#endif
