/* SPDX-License-Identifier: Apache-2.0 */
#include "te_l2_normalization_s8.h"

#include "te_requantize.h"

typedef struct {
  int32_t multiplier;
  int32_t shift; /* positive: left */
} te_factor;

/* 1 / sqrt(x) for x >= 0, that of 0 taken to be 1: five Newton steps from 1 for x brought into [1/4, 1).
 * Qm.n: m integer and n fractional bits besides the sign. */
static te_factor inverse_square_root(int32_t x) {
  const int32_t one_and_half = (1 << 28) + (1 << 27); /* Q3.28 */
  const int32_t half_root_2 = 1518500250;             /* Q0.31 */
  if (x <= 1) {
    const te_factor most = {INT32_MAX, 0};
    return most;
  }
  int32_t right_shift = 11;
  for (; x >= 1 << 29; x >>= 2) {
    right_shift++;
  }
  for (; x < 1 << 27; x <<= 2) {
    right_shift--;
  }
  const int32_t half = te_round_shift(x >> 1, 1); /* Q3.28 */
  int32_t root = 1 << 28;                         /* Q3.28 */
  for (int32_t i = 0; i < 5; i++) {
    const int32_t cube = te_high_mul(te_high_mul(root, root), root); /* Q9.22, at most 8 */
    root = (te_high_mul(one_and_half, root) - te_high_mul(half, cube * 64)) * 8;
  }
  root = te_high_mul(root, half_root_2);
  const te_factor factor = {right_shift < 0 ? root << -right_shift : root, right_shift < 0 ? 0 : -right_shift};
  return factor;
}

void te_l2_normalization_s8(const te_l2_normalization_params *p, const int8_t *input, int8_t *output) {
  const int32_t output_bits = 7;
  for (uint32_t row = 0; row < p->rows; row++) {
    int32_t sum = 0;
    for (uint32_t i = 0; i < p->depth; i++) {
      const int32_t x = input[i] - p->zero_point;
      sum += x * x;
    }
    const te_factor norm = inverse_square_root(sum);
    for (uint32_t i = 0; i < p->depth; i++) {
      const int32_t x = te_requantize(input[i] - p->zero_point, norm.multiplier, norm.shift + output_bits);
      output[i] = te_clamp_s8(x, INT8_MIN, INT8_MAX);
    }
    input += p->depth;
    output += p->depth;
  }
}
