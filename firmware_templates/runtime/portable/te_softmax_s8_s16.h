/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax over rows, int8 in, int16 out with scale 1/65536 and zero point -32768; gemmlowp's 32-bit fixed point. */
#ifndef TE_SOFTMAX_S8_S16_H
#define TE_SOFTMAX_S8_S16_H

#include <stdint.h>

#include "te_softmax_s8.h"

/* input, output  [rows][depth], apart from each other */
void te_softmax_s8_s16(const te_softmax_params *p, const int8_t *input, int16_t *output);

#endif
