/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of one float32 element. Each step is rounded to float32; no C library is needed. */
#ifndef TE_SINGLES_F32_H
#define TE_SINGLES_F32_H

#include <stdint.h>

/* output  [elements]; may be the same memory as input */
void te_abs_f32(const float *input, float *output, uint32_t elements);
void te_ceil_f32(const float *input, float *output, uint32_t elements);
void te_floor_f32(const float *input, float *output, uint32_t elements);
void te_hard_swish_f32(const float *input, float *output, uint32_t elements);
void te_neg_f32(const float *input, float *output, uint32_t elements);
void te_relu_f32(const float *input, float *output, uint32_t elements);
void te_relu6_f32(const float *input, float *output, uint32_t elements);
/* to the nearest whole number, halves to the even one */
void te_round_f32(const float *input, float *output, uint32_t elements);
void te_rsqrt_f32(const float *input, float *output, uint32_t elements);
void te_sqrt_f32(const float *input, float *output, uint32_t elements);
void te_square_f32(const float *input, float *output, uint32_t elements);
/* x, or alpha * x unless it is above zero */
void te_leaky_relu_f32(float alpha, const float *input, float *output, uint32_t elements);

#endif
