/* SPDX-License-Identifier: Apache-2.0 */
#include "te_softmax_table_s8.h"

#include "te_fixed_point.h"

/* x * factor / 2^31 to the nearest integer, ties upwards, for factor in [2^30, 2^31): SMMLAR x, x * (2 factor - 2^32).
 */
static inline int32_t high_mul(int32_t x, int32_t doubled_factor) {
  int32_t product;
  __asm("smmlar %0, %1, %2, %1" : "=r"(product) : "r"(x), "r"(doubled_factor));
  return product;
}

/* x / 2^exponent to the nearest integer, for x up to INT32_MAX and exponent in [1, 31]. */
static inline uint32_t round_shift(int32_t x, uint32_t exponent) {
  return ((uint32_t)x + (UINT32_C(1) << (exponent - 1))) >> exponent;
}

void te_softmax_table_s8(const te_softmax_table_params *p, const int8_t *input, int8_t *output) {
  const int32_t *const exponentials = p->exponentials;
  const int32_t depth = p->depth;
  const int32_t count = p->count;
  for (uint32_t row = p->rows; row > 0; row--) {
    int32_t max = INT8_MIN;
    for (int32_t i = 0; i < depth; i++) {
      max = input[i] > max ? input[i] : max;
    }
    uint32_t sum = 0; /* Q12.19; at least the maximum's own share, so never 0 */
    for (int32_t i = 0; i < depth; i++) {
      const int32_t difference = max - input[i];
      sum += difference < count ? round_shift(exponentials[difference], 12) : 0;
    }
    const uint32_t zeros = (uint32_t)__builtin_clz(sum);
    const uint32_t exponent = 12 + 31 - 8 - zeros;
    const int32_t counted = exponent <= 31 ? count : 0; /* beyond, every share rounds to nothing */
    /* 1/2 or more where it counts: its error is less than a step of a sum with four leading zeros. */
    const int32_t scale = te_fixed_point_reciprocal((int32_t)((sum << zeros) - (UINT32_C(1) << 31)));
    const int32_t doubled_scale = (int32_t)((uint32_t)scale << 1);
    for (int32_t i = 0; i < depth; i++) {
      const int32_t difference = max - input[i];
      int32_t share = 0;
      if (difference < counted) {
        share = (int32_t)round_shift(high_mul(exponentials[difference], doubled_scale), exponent);
      }
      output[i] = (int8_t)((share > 255 ? 255 : share) - 128);
    }
    input += depth;
    output += depth;
  }
}
