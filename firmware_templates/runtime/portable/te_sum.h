/* Element-wise differences of two int8 or int16 tensors, and sums of int16 ones, with broadcasting. */
#ifndef TE_SUM_H
#define TE_SUM_H

#include <stdint.h>

#include "te_broadcast.h"
#include "te_scaled.h"

typedef struct {
  te_broadcast shape;
  te_scaled_operand operands[2];
  te_scaled_output output; /* its shift is in [-31, 0] */
  uint8_t left_shift;
} te_sum_params;

/* output  [shape.sizes]; may be the same memory as an operand that is not broadcast */
void te_sub_s8(const te_sum_params *p, const int8_t *input1, const int8_t *input2, int8_t *output);
void te_sub_s16(const te_sum_params *p, const int16_t *input1, const int16_t *input2, int16_t *output);
void te_add_s16(const te_sum_params *p, const int16_t *input1, const int16_t *input2, int16_t *output);

#endif
