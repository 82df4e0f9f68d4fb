/* SPDX-License-Identifier: Apache-2.0 */
#include "te_softmax_s8.h"

#include "te_fixed_point.h"
#include "te_requantize.h"

/* Qm.n below: m integer and n fractional bits besides the sign. */

/* exp(x) in Q0.31 for x in [-1/4, 0), Q0.31: Taylor's series around -1/8 up to the fourth power. */
static int32_t exp_quarter(int32_t x) {
  const int32_t exp_minus_eighth = 1895147668;
  const int32_t third = 715827883;
  const int32_t d = x + (1 << 28);
  const int32_t d2 = te_high_mul(d, d);
  const int32_t d3 = te_high_mul(d2, d);
  const int32_t d4 = te_high_mul(d2, d2);
  const int32_t tail = te_high_mul(te_round_shift(d4, 2) + d3, third) + d2; /* d^4/12 + d^3/3 + d^2 */
  return exp_minus_eighth + te_high_mul(exp_minus_eighth, d + te_round_shift(tail, 1));
}

/* exp(x) in Q0.31 for x <= 0 in Q5.26: a quarter's fraction by the series, the rest as a product of powers of e. */
static int32_t exp_negative(int32_t x) {
  static const int32_t powers[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  const int32_t quarter = 1 << 24;
  if (x == 0) {
    return INT32_MAX;
  }
  const int32_t fraction = (x & (quarter - 1)) - quarter;
  uint32_t quarters = ((uint32_t)fraction - (uint32_t)x) >> 24;
  int32_t result = exp_quarter((int32_t)((uint32_t)fraction << 5));
  for (int32_t i = 0; i < 7; i++) { /* e^-1/4, e^-1/2, ... e^-16 */
    if (quarters & 1U) {
      result = te_high_mul(result, powers[i]);
    }
    quarters >>= 1;
  }
  return result;
}

static int32_t exp_of_difference(const te_softmax_params *p, int32_t difference) {
  return exp_negative(te_requantize(difference, p->multiplier, p->left_shift));
}

void te_softmax_s8(const te_softmax_params *p, const int8_t *input, int8_t *output) {
  for (int32_t row = 0; row < p->rows; row++) {
    int32_t max = INT8_MIN;
    for (int32_t i = 0; i < p->depth; i++) {
      max = input[i] > max ? input[i] : max;
    }
    int32_t sum = 0; /* Q12.19 */
    for (int32_t i = 0; i < p->depth; i++) {
      if (input[i] - max >= p->diff_min) {
        sum += te_round_shift(exp_of_difference(p, input[i] - max), 12);
      }
    }
    const int32_t zeros = te_fixed_point_zeros((uint32_t)sum);
    const int32_t scale = te_fixed_point_reciprocal((int32_t)(((uint32_t)sum << zeros) - (UINT32_C(1) << 31)));
    const int32_t exponent = 12 - zeros + 31 - 8;
    for (int32_t i = 0; i < p->depth; i++) {
      int32_t result = INT8_MIN;
      if (input[i] - max >= p->diff_min && exponent <= 31) { /* beyond 31, every share rounds to nothing */
        result += te_round_shift(te_high_mul(scale, exp_of_difference(p, input[i] - max)), exponent);
      }
      output[i] = te_clamp_s8(result, INT8_MIN, INT8_MAX);
    }
    input += p->depth;
    output += p->depth;
  }
}
