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
void te_pairs_f32_add(const te_pairs_f32_params *p, const float *input1, const float *input2, float *output);
void te_pairs_f32_sub(const te_pairs_f32_params *p, const float *input1, const float *input2, float *output);
void te_pairs_f32_mul(const te_pairs_f32_params *p, const float *input1, const float *input2, float *output);
void te_pairs_f32_div(const te_pairs_f32_params *p, const float *input1, const float *input2, float *output);
void te_pairs_f32_maximum(const te_pairs_f32_params *p, const float *input1, const float *input2, float *output);
void te_pairs_f32_minimum(const te_pairs_f32_params *p, const float *input1, const float *input2, float *output);
void te_pairs_f32_squared_difference(const te_pairs_f32_params *p, const float *input1, const float *input2,
                                     float *output);
/* x, or x times the slope y below zero */
void te_pairs_f32_prelu(const te_pairs_f32_params *p, const float *input1, const float *input2, float *output);

/* comparisons; the output lies apart from the operands */
void te_pairs_f32_equal(const te_pairs_f32_params *p, const float *input1, const float *input2, bool *output);
void te_pairs_f32_greater(const te_pairs_f32_params *p, const float *input1, const float *input2, bool *output);
void te_pairs_f32_greater_equal(const te_pairs_f32_params *p, const float *input1, const float *input2, bool *output);
void te_pairs_f32_less(const te_pairs_f32_params *p, const float *input1, const float *input2, bool *output);
void te_pairs_f32_less_equal(const te_pairs_f32_params *p, const float *input1, const float *input2, bool *output);
void te_pairs_f32_not_equal(const te_pairs_f32_params *p, const float *input1, const float *input2, bool *output);

#endif
