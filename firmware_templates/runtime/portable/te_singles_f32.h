/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of one float32 element. Each step is rounded to float32; no C library is needed. */
#ifndef TE_SINGLES_F32_H
#define TE_SINGLES_F32_H

#include <stdint.h>

/* output  [elements]; may be the same memory as input */
void te_singles_f32_abs(const float *input, float *output, uint32_t elements);
void te_singles_f32_ceil(const float *input, float *output, uint32_t elements);
void te_singles_f32_floor(const float *input, float *output, uint32_t elements);
void te_singles_f32_hard_swish(const float *input, float *output, uint32_t elements);
void te_singles_f32_neg(const float *input, float *output, uint32_t elements);
void te_singles_f32_relu(const float *input, float *output, uint32_t elements);
void te_singles_f32_relu6(const float *input, float *output, uint32_t elements);
/* to the nearest whole number, halves to the even one */
void te_singles_f32_round(const float *input, float *output, uint32_t elements);
void te_singles_f32_rsqrt(const float *input, float *output, uint32_t elements);
void te_singles_f32_sqrt(const float *input, float *output, uint32_t elements);
void te_singles_f32_square(const float *input, float *output, uint32_t elements);
/* x, or alpha * x unless it is above zero */
void te_singles_f32_leaky_relu(float alpha, const float *input, float *output, uint32_t elements);

#endif
