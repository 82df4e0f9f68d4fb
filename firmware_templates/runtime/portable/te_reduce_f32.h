/* SPDX-License-Identifier: Apache-2.0 */
/* Sums, means, largest and smallest values over some axes of a float32 tensor, in the order of memory. */
#ifndef TE_REDUCE_F32_H
#define TE_REDUCE_F32_H

#include <stdint.h>

#include "te_reduce_axis.h"

typedef struct {
  te_reduce_axis kept[2];    /* in the order of the output, the second innermost; {1, 0} where there is none */
  te_reduce_axis reduced[2]; /* likewise */
  float divisor;             /* of sums; 1 where they are no means */
} te_reduce_f32_params;

/* output  [kept[0].size][kept[1].size] */
void te_reduce_f32_sum(const te_reduce_f32_params *p, const float *input, float *output);
void te_reduce_f32_max(const te_reduce_f32_params *p, const float *input, float *output);
void te_reduce_f32_min(const te_reduce_f32_params *p, const float *input, float *output);

#endif
