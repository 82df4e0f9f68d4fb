/* SPDX-License-Identifier: Apache-2.0 */
/* Negative values times a slope, int8, with broadcasting. */
#ifndef TE_PRELU_S8_H
#define TE_PRELU_S8_H

#include <stdint.h>

#include "te_broadcast.h"

typedef struct {
  te_broadcast shape;
  int32_t multiplier;       /* of values from the zero point on */
  int32_t slope_multiplier; /* of products of values below it with slopes */
  int8_t shift;             /* in [-31, 30] */
  int8_t slope_shift;       /* in [-31, 30] */
  int8_t input_zero_point;
  int8_t slope_zero_point;
  int8_t output_zero_point;
} te_prelu_params;

/* output  [shape.sizes]; may be the same memory as an operand that is not broadcast */
void te_prelu_s8(const te_prelu_params *p, const int8_t *input, const int8_t *slope, int8_t *output);

#endif
