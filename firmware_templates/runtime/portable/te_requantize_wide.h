/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed-point rescaling of int64 sums as TensorFlow Lite Micro does it for int16: one rounding, ties upwards. */
#ifndef TE_REQUANTIZE_WIDE_H
#define TE_REQUANTIZE_WIDE_H

#include <stdint.h>

/* sum * multiplier / 2^right, kept within [min, max]; what leaves int32 before that wraps.
 * sum in [-2^47, 2^47), multiplier in [0, 32767], right in [8, 46]. */
static inline int16_t te_output_s16(int64_t sum, int32_t multiplier, uint32_t right, int32_t min, int32_t max) {
  const int32_t x = (int32_t)((sum * multiplier + (INT64_C(1) << (right - 1))) >> right);
  const int32_t low = x < min ? min : x;
  return (int16_t)(low > max ? max : low);
}

#endif
