/* SPDX-License-Identifier: Apache-2.0 */
/* Element-wise squares of the differences of two int8 or int16 tensors, with broadcasting. */
#ifndef TE_SQUARED_DIFFERENCE_H
#define TE_SQUARED_DIFFERENCE_H

#include <stdint.h>

#include "te_broadcast.h"
#include "te_scaled.h"

typedef struct {
  te_broadcast shape;
  te_scaled_operand operands[2]; /* each at most half, so that the square of their difference fits 32 bits */
  te_scaled_output output;
  uint8_t left_shift; /* 7 for int8, 0 for int16 */
} te_squared_difference_params;

/* output  [shape.sizes]; may be the same memory as an operand that is not broadcast */
void te_squared_difference_s8(const te_squared_difference_params *p, const int8_t *input1, const int8_t *input2,
                              int8_t *output);
void te_squared_difference_s16(const te_squared_difference_params *p, const int16_t *input1, const int16_t *input2,
                               int16_t *output);

#endif
