/* SPDX-License-Identifier: Apache-2.0 */
/* Negative values of int16 times a slope of int8, with broadcasting. */
#ifndef TE_PRELU_S16_H
#define TE_PRELU_S16_H

#include <stdint.h>

#include "te_broadcast.h"

typedef struct {
  te_broadcast shape;
  int32_t multiplier;       /* of values from 0 on */
  int32_t slope_multiplier; /* of products of values below 0 with slopes */
  int8_t shift;             /* in [-31, 30] */
  int8_t slope_shift;       /* in [-31, 30] */
  int8_t slope_zero_point;
} te_prelu_s16_params;

/* output  [shape.sizes]; may be the same memory as an input that is not broadcast */
void te_prelu_s16(const te_prelu_s16_params *p, const int16_t *input, const int8_t *slope, int16_t *output);

#endif
