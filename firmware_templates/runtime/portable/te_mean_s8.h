/* SPDX-License-Identifier: Apache-2.0 */
/* Mean or sum over some axes of an int8 tensor; the output may have a quantization of its own. */
#ifndef TE_MEAN_S8_H
#define TE_MEAN_S8_H

#include <stdint.h>

/* An axis, or neighbouring axes merged: its size, and the elements of the input from one index to the next. */
typedef struct {
  uint32_t size;
  int32_t step;
} te_mean_axis;

typedef struct {
  te_mean_axis kept[2];    /* in the order of the output, the second innermost; {1, 0} where there is none */
  te_mean_axis reduced[2]; /* likewise; at most 2^23 elements in all */
  int32_t offset;          /* - input zero point * number of reduced elements */
  int32_t multiplier;      /* of a mean: divides by that number, too */
  int8_t shift;            /* in [-31, 30] */
  int8_t output_zero_point;
} te_mean_params;

/* output  [kept[0].size][kept[1].size] */
void te_mean_s8(const te_mean_params *p, const int8_t *input, int8_t *output);

#endif
