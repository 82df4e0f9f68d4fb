/* SPDX-License-Identifier: Apache-2.0 */
#include "te_batch_matmul_s16.h"

#include "te_requantize_wide.h"

static int64_t dot(const te_batch_matmul_s16_params *p, const int16_t *left, const int16_t *right) {
  const int32_t left_step = p->left.depth_step;
  const int32_t right_step = p->right.depth_step;
  int64_t sum = 0;
  for (uint32_t count = p->depth; count > 0; count--) {
    sum += *left * *right;
    left += left_step;
    right += right_step;
  }
  return sum;
}

/* One product of two matrices; returns the end of the output. */
static int16_t *multiply(const te_batch_matmul_s16_params *p, const int16_t *left, const int16_t *right,
                         int16_t *output) {
  for (uint32_t y = 0; y < p->rows; y++) {
    const int16_t *column = right;
    for (uint32_t x = 0; x < p->columns; x++) {
      *output++ = te_output_s16(dot(p, left, column), p->multiplier, p->right_shift, INT16_MIN, INT16_MAX);
      column += p->right.outer_step;
    }
    left += p->left.outer_step;
  }
  return output;
}

void te_batch_matmul_s16(const te_batch_matmul_s16_params *p, const int16_t *left, const int16_t *right,
                         int16_t *output) {
  const int32_t *l = p->left.batch_steps;
  const int32_t *r = p->right.batch_steps;
  for (uint32_t i = 0; i < p->batches[0]; i++) {
    const int16_t *left1 = left;
    const int16_t *right1 = right;
    for (uint32_t j = 0; j < p->batches[1]; j++) {
      const int16_t *left2 = left1;
      const int16_t *right2 = right1;
      for (uint32_t k = 0; k < p->batches[2]; k++) {
        output = multiply(p, left2, right2, output);
        left2 += l[2];
        right2 += r[2];
      }
      left1 += l[1];
      right1 += r[1];
    }
    left += l[0];
    right += r[0];
  }
}
