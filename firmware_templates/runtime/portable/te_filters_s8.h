/* The arithmetic that convolutions and fully connected layers share: filters times one vector of int8, rescaled. */
#ifndef TE_FILTERS_S8_H
#define TE_FILTERS_S8_H

#include <stdint.h>

typedef struct {
  const int8_t *weights;     /* [filters][taps] */
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
void te_filters_s8(const te_filters *f, int32_t begin, int32_t end, int32_t offset, const int8_t *x, int8_t *output);

#endif
