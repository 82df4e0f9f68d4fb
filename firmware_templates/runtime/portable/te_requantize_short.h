/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a layer in fewer steps than te_output_s8: for sums that are below 2^30 in magnitude and are scaled by a
 * multiplier of [0, 2^31 - 1] and a shift to the right, which holds for nearly every layer. */
#ifndef TE_REQUANTIZE_SHORT_H
#define TE_REQUANTIZE_SHORT_H

#include <stdint.h>

/* What all outputs of a layer have in common. */
typedef struct {
  int8_t zero_point;
  int8_t min, max;
} te_output_range;

/* The doubled product leaves the rounded high half one addition away: what te_high_mul shifts together from two
 * registers is a register here. `shift` is one less than the shift to the right, in [0, 30]. */
static inline int8_t te_short_output_s8(int32_t sum, int32_t multiplier, uint32_t shift, int32_t zero_point,
                                        int32_t min, int32_t max) {
  const int64_t product = (int64_t)(2 * sum) * multiplier;
  const int32_t high = (int32_t)(product >> 32) + (int32_t)((uint32_t)product >> 31);
  int32_t x = ((((high - (high < 0)) >> shift) + 1) >> 1) + zero_point;
  x = x < min ? min : x;
  return (int8_t)(x > max ? max : x);
}

#endif
