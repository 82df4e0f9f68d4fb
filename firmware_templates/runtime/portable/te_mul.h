/* SPDX-License-Identifier: Apache-2.0 */
/* Element-wise products of two int8 or int16 tensors, with broadcasting. */
#ifndef TE_MUL_H
#define TE_MUL_H

#include <stdint.h>

#include "te_broadcast.h"
#include "te_scaled.h"

typedef struct {
  te_broadcast shape;
  te_scaled_output output;
  int8_t zero_points[2]; /* of the operands; 0 for int16 */
} te_mul_params;

/* output  [shape.sizes]; may be the same memory as an operand that is not broadcast */
void te_mul_s8(const te_mul_params *p, const int8_t *input1, const int8_t *input2, int8_t *output);
void te_mul_s16(const te_mul_params *p, const int16_t *input1, const int16_t *input2, int16_t *output);

#endif
