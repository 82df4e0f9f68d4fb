/* SPDX-License-Identifier: Apache-2.0 */
/* Element-wise quotients of two int8 tensors, with broadcasting. */
#ifndef TE_DIV_S8_H
#define TE_DIV_S8_H

#include <stdint.h>

#include "te_broadcast.h"

typedef struct {
  te_broadcast shape;
  int32_t multiplier;
  int8_t shift;          /* in [-31, 21] */
  int8_t zero_points[2]; /* of the operands */
  int8_t output_zero_point;
  int8_t activation_min;
  int8_t activation_max;
} te_div_params;

/* A divisor of zero counts as the smallest positive number would, 0 / 0 is 0.
 *
 * output  [shape.sizes]; may be the same memory as an operand that is not broadcast */
void te_div_s8(const te_div_params *p, const int8_t *input1, const int8_t *input2, int8_t *output);

#endif
