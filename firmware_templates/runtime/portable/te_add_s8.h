/* SPDX-License-Identifier: Apache-2.0 */
/* Element-wise sum of two int8 tensors with broadcasting. */
#ifndef TE_ADD_S8_H
#define TE_ADD_S8_H

#include <stdint.h>

/* One operand: its value is (element - zero_point) * 2^left_shift, rescaled by (multiplier, shift). */
typedef struct {
  int8_t zero_point;
  int8_t shift; /* in [-31, 0] */
  int32_t multiplier;
  int32_t steps[4]; /* elements to go on for each axis of the output; 0 where the operand is broadcast */
} te_add_operand;

typedef struct {
  te_add_operand operands[2];
  uint32_t sizes[4]; /* of the output, axes that behave alike merged, the last one innermost */
  uint8_t left_shift;
  int8_t output_zero_point;
  int8_t output_shift; /* in [-31, 0] */
  int8_t activation_min;
  int8_t activation_max;
  int32_t output_multiplier;
} te_add_params;

/* output  [sizes]; may be the same memory as an operand that is not broadcast */
void te_add_s8(const te_add_params *p, const int8_t *input1, const int8_t *input2, int8_t *output);

#endif
