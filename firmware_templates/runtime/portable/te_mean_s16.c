/* SPDX-License-Identifier: Apache-2.0 */
#include "te_mean_s16.h"

#include "te_requantize.h"

static int32_t sum_of(const te_mean_params *p, const int16_t *x) {
  int32_t sum = 0;
  for (uint32_t i = p->reduced[0].size; i > 0; i--) {
    const int16_t *cell = x;
    for (uint32_t j = p->reduced[1].size; j > 0; j--) {
      sum += *cell;
      cell += p->reduced[1].step;
    }
    x += p->reduced[0].step;
  }
  return sum;
}

void te_mean_s16(const te_mean_params *p, const int16_t *input, int16_t *output) {
  for (uint32_t i = p->kept[0].size; i > 0; i--) {
    const int16_t *x = input;
    for (uint32_t left = p->kept[1].size; left > 0; left--) {
      *output++ = te_clamp_s16(te_requantize(sum_of(p, x), p->multiplier, p->shift), INT16_MIN, INT16_MAX);
      x += p->kept[1].step;
    }
    input += p->kept[0].step;
  }
}
