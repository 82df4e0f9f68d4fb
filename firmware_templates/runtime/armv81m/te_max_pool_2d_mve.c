/* SPDX-License-Identifier: Apache-2.0 */
#include "te_max_pool_2d_mve.h"

#include <arm_mve.h>

/* The largest of a patch of rows by columns cells, in some channels; in all lanes, nothing is masked. */
static inline int8x16_t largest(const int8_t *row, uint32_t rows, uint32_t columns, uint32_t row_step, uint32_t step,
                                mve_pred16_t some, int all) {
  int8x16_t found = vdupq_n_s8(INT8_MIN);
  for (; rows; rows--) {
    const int8_t *cell = row;
    for (uint32_t column = columns; column; column--) {
      found = vmaxq_s8(found, all ? vldrbq_s8(cell) : vldrbq_z_s8(cell, some));
      cell += step;
    }
    row += row_step;
  }
  return found;
}

void te_max_pool_2d_mve(const te_max_pool_2d_params *p, const int8_t *input, int8_t *output) {
  const te_window *w = &p->window;
  const uint32_t channels = p->channels;
  const uint32_t row_step = w->input_w * channels;
  const int8x16_t low = vdupq_n_s8(p->activation_min);
  const int8x16_t high = vdupq_n_s8(p->activation_max);
  for (int32_t y = 0; y < w->output_h; y++) {
    const int32_t origin_y = y * w->stride_h - w->pad_top;
    const te_taps rows = te_clip_taps(origin_y, w->kernel_h, 1, w->input_h);
    for (int32_t x = 0; x < w->output_w; x++) {
      const int32_t origin_x = x * w->stride_w - w->pad_left;
      const te_taps columns = te_clip_taps(origin_x, w->kernel_w, 1, w->input_w);
      const int32_t first = (origin_y + rows.begin) * w->input_w + origin_x + columns.begin;
      const int8_t *patch = input + first * (int32_t)channels;
      for (uint32_t c = 0; c < channels; c += 16) {
        const mve_pred16_t some = vctp8q(channels - c);
        const uint32_t height = (uint32_t)(rows.end - rows.begin), width = (uint32_t)(columns.end - columns.begin);
        const int8x16_t found = channels - c >= 16 ? largest(patch + c, height, width, row_step, channels, some, 1)
                                                   : largest(patch + c, height, width, row_step, channels, some, 0);
        vstrbq_p_s8(output + c, vminq_s8(vmaxq_s8(found, low), high), some);
      }
      output += channels;
    }
  }
}
