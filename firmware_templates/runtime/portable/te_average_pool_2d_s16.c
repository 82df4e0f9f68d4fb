/* SPDX-License-Identifier: Apache-2.0 */
#include "te_average_pool_2d_s16.h"

static int32_t average(const te_pool_2d_s16_params *p, const te_patch_s16 *patch, const int16_t *x) {
  const int32_t cells = patch->rows * patch->columns;
  int32_t sum = 0;
  for (int32_t row = 0; row < patch->rows; row++) {
    for (int32_t column = 0; column < patch->columns; column++) {
      sum += x[column * p->channels];
    }
    x += p->window.input_w * p->channels;
  }
  return (sum > 0 ? sum + cells / 2 : sum - cells / 2) / cells;
}

void te_average_pool_2d_s16(const te_pool_2d_s16_params *p, const int16_t *input, int16_t *output) {
  for (int32_t y = 0; y < p->window.output_h; y++) {
    for (int32_t x = 0; x < p->window.output_w; x++) {
      const te_patch_s16 patch = te_patch_at(p, y, x);
      for (int32_t c = 0; c < p->channels; c++) {
        *output++ = te_clamp_activation(p, average(p, &patch, input + patch.first + c));
      }
    }
  }
}
