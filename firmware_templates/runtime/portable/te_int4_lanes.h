/* SPDX-License-Identifier: Apache-2.0 */
/* Weights of int4 of two filters in the halves of a word, for cores whose multiplier gives 32 bits.
 *
 * A half has four taps, weight + 8 in four bits each, the first in the lowest. A tap of both filters times an input is
 * one product; up to TE_TAPS_IN_LANES of them can be added up before the lower half no longer tells its sign. What the
 * 8 adds is 8 times the sum of the inputs, which is taken off once for all filters. */
#ifndef TE_INT4_LANES_H
#define TE_INT4_LANES_H

#include <stdint.h>

/* 16 * 15 * 128 is less than 2^15. */
#define TE_TAPS_IN_LANES 16

/* Tap `i` of both filters of a word. */
static inline uint32_t te_int4_tap(uint32_t word, uint32_t i) {
  return (word >> (4 * i)) & 0x000F000Fu;
}

/* Add the sums of both filters, which lie `step` apart. */
static inline void te_add_lanes(int32_t *sums, int32_t step, uint32_t lanes) {
  const int32_t low = (int16_t)lanes;
  sums[0] += low;
  sums[step] += (int32_t)(lanes - (uint32_t)low) >> 16;
}

#endif
