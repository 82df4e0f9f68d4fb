/* SPDX-License-Identifier: Apache-2.0 */
#include "te_log_softmax_s8.h"

#include "te_fixed_point.h"
#include "te_requantize.h"

/* Qm.n: m integer and n fractional bits besides the sign. */

/* x * 2^amount for x >= 0, at most INT32_MAX. */
static int32_t shift_left(int32_t x, int32_t amount) {
  return x > INT32_MAX >> amount ? INT32_MAX : (int32_t)((uint32_t)x << amount);
}

/* log(x) in Q5.26 for x >= 1 in Q12.19. The value is brought near the fourth root of 1/2 by a power of two and, as one
 * of two candidates, by the square root of 1/2; a rational function gives the logarithm there. */
static int32_t logarithm(int32_t x) {
  const int32_t log_2 = 1488522236;
  const int32_t root_2_of_half = 1518500250;
  const int32_t root_4_of_half = 1805811301;
  const int32_t quarter = 1 << 23; /* Q6.25, like the powers */
  const int32_t zeros = te_fixed_point_zeros((uint32_t)x);
  const int32_t first = shift_left(te_high_mul(shift_left(x, zeros - 1), root_2_of_half), 1);
  const int32_t first_power = (12 - zeros) * (1 << 25) + quarter;
  const int32_t headroom = te_fixed_point_zeros((uint32_t)te_high_mul(x, root_2_of_half)) - 1;
  const int32_t second = shift_left(x, headroom);
  const int32_t second_power = (12 - headroom) * (1 << 25) - quarter;
  const int32_t r = first < second ? first : second;
  const int32_t power = first_power > second_power ? first_power : second_power;
  const int32_t p = (int32_t)(((uint32_t)r + (uint32_t)root_4_of_half + 1) >> 1);
  const int32_t q = 2 * (r - root_4_of_half);
  const int32_t square = te_high_mul(q, q);
  const int32_t numerator = te_high_mul(q, r) + te_high_mul(te_high_mul(q, square), 117049297);
  const int32_t denominator =
      te_high_mul(p, 1057819769 + q + te_high_mul(127690142, square)) + te_high_mul(638450708, q);
  const int32_t ratio = te_high_mul(te_round_shift(numerator, 6), te_fixed_point_reciprocal(denominator));
  return (te_high_mul(power, log_2) + ratio) * 2;
}

void te_log_softmax_s8(const te_log_softmax_params *p, const int8_t *input, int8_t *output) {
  for (uint32_t row = 0; row < p->rows; row++) {
    int32_t max = INT8_MIN;
    for (uint32_t i = 0; i < p->depth; i++) {
      max = input[i] > max ? input[i] : max;
    }
    int32_t sum = 0; /* Q12.19 */
    for (uint32_t i = 0; i < p->depth; i++) {
      const int32_t below = max - input[i];
      sum += below < p->exponential_count ? p->exponentials[below] : 0;
    }
    const int32_t log_sum = logarithm(sum);
    /* The lowest difference from which log_sum can be subtracted. */
    int32_t lowest = te_requantize(INT32_MIN + log_sum, p->reverse_multiplier, p->reverse_shift);
    lowest = lowest < p->diff_min - 1 ? p->diff_min - 1 : lowest;
    for (uint32_t i = 0; i < p->depth; i++) {
      const int32_t difference = input[i] - max;
      int32_t result = INT8_MIN;
      if (difference > lowest) {
        const int32_t scaled = te_requantize(difference, p->multiplier, p->left_shift);
        result = te_round_shift((int32_t)((uint32_t)scaled - (uint32_t)log_sum), 22) + INT8_MAX;
      }
      output[i] = te_clamp_s8(result, INT8_MIN, INT8_MAX);
    }
    input += p->depth;
    output += p->depth;
  }
}
