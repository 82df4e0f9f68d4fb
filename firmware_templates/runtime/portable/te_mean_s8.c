/* SPDX-License-Identifier: Apache-2.0 */
#include "te_mean_s8.h"

#include "te_requantize.h"

/* Four neighbouring outputs, so that the walk over the reduced elements is shared. */
static void sum_4(const te_mean_params *p, const int8_t *x, int32_t sum[4]) {
  const int32_t apart = p->kept[1].step;
  const int32_t step = p->reduced[1].step;
  int32_t s0 = p->offset;
  int32_t s1 = p->offset;
  int32_t s2 = p->offset;
  int32_t s3 = p->offset;
  for (uint32_t i = p->reduced[0].size; i > 0; i--) {
    const int8_t *cell = x;
    for (uint32_t j = p->reduced[1].size; j > 0; j--) {
      s0 += cell[0];
      s1 += cell[apart];
      s2 += cell[2 * apart];
      s3 += cell[3 * apart];
      cell += step;
    }
    x += p->reduced[0].step;
  }
  sum[0] = s0;
  sum[1] = s1;
  sum[2] = s2;
  sum[3] = s3;
}

static int32_t sum_1(const te_mean_params *p, const int8_t *x) {
  int32_t sum = p->offset;
  for (uint32_t i = p->reduced[0].size; i > 0; i--) {
    const int8_t *cell = x;
    for (uint32_t j = p->reduced[1].size; j > 0; j--) {
      sum += *cell;
      cell += p->reduced[1].step;
    }
    x += p->reduced[0].step;
  }
  return sum;
}

static int8_t rescale(const te_mean_params *p, int32_t sum) {
  return te_output_s8(sum, p->multiplier, p->shift, p->output_zero_point, INT8_MIN, INT8_MAX);
}

void te_mean_s8(const te_mean_params *p, const int8_t *input, int8_t *output) {
  for (uint32_t i = p->kept[0].size; i > 0; i--) {
    const int8_t *x = input;
    uint32_t left = p->kept[1].size;
    for (; left >= 4; left -= 4) {
      int32_t sum[4];
      sum_4(p, x, sum);
      for (int32_t k = 0; k < 4; k++) {
        *output++ = rescale(p, sum[k]);
      }
      x += 4 * p->kept[1].step;
    }
    for (; left > 0; left--) {
      *output++ = rescale(p, sum_1(p, x));
      x += p->kept[1].step;
    }
    input += p->kept[0].step;
  }
}
