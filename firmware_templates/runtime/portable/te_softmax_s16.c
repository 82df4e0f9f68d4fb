/* SPDX-License-Identifier: Apache-2.0 */
#include "te_softmax_s16.h"

#include "te_fixed_point.h"
#include "te_requantize.h"

static int32_t clamp(int32_t x, int32_t min, int32_t max) {
  return x < min ? min : x > max ? max : x;
}

/* Between two of 513 points over the range of int16. */
static int32_t interpolate(const int16_t table[513], int32_t x) {
  const int16_t *point = table + 256 + (x >> 7);
  return point[0] + (((point[1] - point[0]) * (x & 127) + 64) >> 7);
}

static int32_t largest(const int16_t *row, uint32_t depth) {
  int32_t max = INT16_MIN;
  for (uint32_t i = 0; i < depth; i++) {
    max = row[i] > max ? row[i] : max;
  }
  return max;
}

void te_softmax_s16(const te_softmax_s16_params *p, const int16_t *input, int16_t *output) {
  for (uint32_t row = 0; row < p->rows; row++) {
    const int32_t max = largest(input, p->depth);
    int32_t sum = 0; /* Q16.15; the exponentials wait in the output */
    for (uint32_t i = 0; i < p->depth; i++) {
      const int32_t below = te_requantize(input[i] - max, p->multiplier, p->shift);
      const int32_t exponential = interpolate(p->exponential, clamp(below + INT16_MAX, INT16_MIN, INT16_MAX));
      sum += exponential;
      output[i] = (int16_t)exponential;
    }
    /* The sum is its leading part in [1, 2) times a power of two. */
    const int32_t zeros = te_fixed_point_zeros((uint32_t)sum);
    const int32_t leading = (int32_t)((((uint32_t)sum << (zeros - 1)) + (UINT32_C(1) << 13)) >> 14);
    const int32_t reciprocal = interpolate(p->reciprocal, clamp(leading - (3 << 15), INT16_MIN, INT16_MAX));
    const int32_t right_shift = 31 - zeros;
    for (uint32_t i = 0; i < p->depth; i++) {
      output[i] = (int16_t)clamp((output[i] * reciprocal + (1 << (right_shift - 1))) >> right_shift, 0, INT16_MAX);
    }
    input += p->depth;
    output += p->depth;
  }
}
