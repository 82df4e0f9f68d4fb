/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of int8 times one vector of int16, summed in int64 and rescaled. */
#ifndef TE_FILTERS_S16_H
#define TE_FILTERS_S16_H

#include <stdint.h>

typedef struct {
  const int8_t *weights;     /* [filters][taps] */
  const int64_t *bias;       /* [filters] */
  const int16_t *multiplier; /* [filters] */
  const uint8_t *right;      /* [filters], right shifts in [8, 46] */
  uint32_t taps;
  int16_t activation_min;
  int16_t activation_max;
} te_filters_s16_params;

/* output[i] = rescaled (bias[i] + weights[i] * x), for i in [begin, end).
 *
 * x       [taps]; may be overwritten by the output from the last four filters on
 * Sums stay in [-2^47, 2^47) whatever x is. */
void te_filters_s16(const te_filters_s16_params *f, int32_t begin, int32_t end, const int16_t *x, int16_t *output);

#endif
