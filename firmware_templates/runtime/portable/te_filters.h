/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic that convolutions and fully connected layers share: filters times one vector of int8, rescaled. */
#ifndef TE_FILTERS_H
#define TE_FILTERS_H

#include <stdint.h>

#include "te_requantize.h"

typedef struct {
  const int8_t *weights;     /* [filters][taps], in the form that the function takes */
  const int32_t *bias;       /* [filters], less the input's zero point times the sum of the filter's weights */
  const int32_t *multiplier; /* [filters], or one for all */
  const int8_t *shift;       /* likewise, in [-31, 30] */
  uint32_t taps;
  uint8_t per_filter; /* 1: a multiplier and shift for each filter; 0: one of each for all */
  int8_t output_zero_point;
  int8_t activation_min;
  int8_t activation_max;
} te_filters;

/* output[i] = rescaled (bias[i] + offset + weights[i] * x), for i in [begin, end).
 *
 * x       [taps]; may be overwritten by the output from the last four filters on
 * Sums stay in int32 whatever x is, in any order of addition. */
typedef void te_filters_function(const te_filters *f, int32_t begin, int32_t end, int32_t offset, const int8_t *x,
                                 int8_t *output);

/* sum[i] += w[i] * x over `taps` elements, for four filters. */
typedef void te_dot_4_function(const int8_t *const w[4], const int8_t *x, uint32_t taps, int32_t sum[4]);

/* The filters four at a time; `filter_bytes` lie from one to the next. */
static inline void te_filter_blocks(const te_filters *f, te_dot_4_function *dot_4, uint32_t filter_bytes, int32_t begin,
                                    int32_t end, int32_t offset, const int8_t *x, int8_t *output) {
  const int32_t *bias = f->bias;
  const int32_t *multiplier = f->multiplier;
  const int8_t *shift = f->shift;
  const int32_t scale_step = f->per_filter;
  const int32_t zero_point = f->output_zero_point;
  const int32_t min = f->activation_min;
  const int32_t max = f->activation_max;
  /* The last block repeats the last filter rather than stop short. */
  for (int32_t first = begin; first < end; first += 4) {
    const int8_t *weights[4];
    int32_t sum[4];
    for (int32_t i = 0; i < 4; i++) {
      const int32_t filter = first + i < end ? first + i : end - 1;
      weights[i] = f->weights + (uint32_t)filter * filter_bytes;
      sum[i] = bias[filter] + offset;
    }
    dot_4(weights, x, f->taps, sum);
    for (int32_t i = 0; i < 4 && first + i < end; i++) {
      const int32_t scale = (first + i) * scale_step;
      output[first + i] = te_output_s8(sum[i], multiplier[scale], shift[scale], zero_point, min, max);
    }
  }
}

#endif
