/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of two float32 elements, tensor by tensor, with broadcasting. Each step is rounded to float32. */
#ifndef TE_PAIRS_F32_H
#define TE_PAIRS_F32_H

#include <stdbool.h>
#include <stdint.h>

#include "te_broadcast.h"

typedef struct {
  te_broadcast shape;
  float min; /* of the fused activation: add, sub, mul and div clamp */
  float max;
} te_pairs_f32_params;

/* output  [shape.sizes]; may be the same memory as an operand that is not broadcast */
void te_add_f32(const te_pairs_f32_params *p, const float *input1, const float *input2, float *output);
void te_sub_f32(const te_pairs_f32_params *p, const float *input1, const float *input2, float *output);
void te_mul_f32(const te_pairs_f32_params *p, const float *input1, const float *input2, float *output);
void te_div_f32(const te_pairs_f32_params *p, const float *input1, const float *input2, float *output);
void te_maximum_f32(const te_pairs_f32_params *p, const float *input1, const float *input2, float *output);
void te_minimum_f32(const te_pairs_f32_params *p, const float *input1, const float *input2, float *output);
void te_squared_difference_f32(const te_pairs_f32_params *p, const float *input1, const float *input2, float *output);
/* x, or x times the slope y below zero */
void te_prelu_f32(const te_pairs_f32_params *p, const float *input1, const float *input2, float *output);

/* comparisons; the output lies apart from the operands */
void te_equal_f32(const te_pairs_f32_params *p, const float *input1, const float *input2, bool *output);
void te_greater_f32(const te_pairs_f32_params *p, const float *input1, const float *input2, bool *output);
void te_greater_equal_f32(const te_pairs_f32_params *p, const float *input1, const float *input2, bool *output);
void te_less_f32(const te_pairs_f32_params *p, const float *input1, const float *input2, bool *output);
void te_less_equal_f32(const te_pairs_f32_params *p, const float *input1, const float *input2, bool *output);
void te_not_equal_f32(const te_pairs_f32_params *p, const float *input1, const float *input2, bool *output);

#endif
