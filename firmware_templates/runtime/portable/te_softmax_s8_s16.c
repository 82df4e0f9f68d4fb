/* SPDX-License-Identifier: Apache-2.0 */
#include "te_softmax_s8_s16.h"

#include "te_fixed_point.h"
#include "te_requantize.h"
#include "te_softmax_exp.h"

static int32_t exp_of_difference(const te_softmax_params *p, int32_t difference) {
  return te_exp_negative(te_requantize(difference, p->multiplier, p->left_shift));
}

void te_softmax_s8_s16(const te_softmax_params *p, const int8_t *input, int16_t *output) {
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
    const int32_t exponent = 12 - zeros + 31 - 16;
    for (int32_t i = 0; i < p->depth; i++) {
      int32_t result = INT16_MIN;
      if (input[i] - max >= p->diff_min) {
        result += te_round_shift(te_high_mul(scale, exp_of_difference(p, input[i] - max)), exponent);
      }
      output[i] = te_clamp_s16(result, INT16_MIN, INT16_MAX);
    }
    input += p->depth;
    output += p->depth;
  }
}
