/* SPDX-License-Identifier: Apache-2.0 */
#include "te_average_pool_2d_mve.h"

#include <arm_mve.h>

/* The sum of a patch of rows by columns cells, in some channels; in all lanes, nothing is masked. */
static inline int16x8_t sum(const int8_t *row, uint32_t rows, uint32_t columns, uint32_t row_step, uint32_t step,
                            mve_pred16_t some, int all) {
  int16x8_t found = vdupq_n_s16(0);
  for (; rows; rows--) {
    const int8_t *cell = row;
    for (uint32_t column = columns; column; column--) {
      found = vaddq_s16(found, all ? vldrbq_s16(cell) : vldrbq_z_s16(cell, some));
      cell += step;
    }
    row += row_step;
  }
  return found;
}

/* Sums divided by the number of cells, halves away from zero. With reciprocal = 2^32 / cells, rounded up, the product's
 * upper half is the quotient: the magnitude is at most 128.5 * cells, so what rounding up adds is less than
 * 128.5 * cells / 2^32, which does not reach the 1 / cells to the next integer. */
static inline int32x4_t divide(int32x4_t sums, uint32_t cells, uint32_t reciprocal) {
  const uint32x4_t magnitude = vaddq_n_u32(vreinterpretq_u32_s32(vabsq_s32(sums)), cells / 2);
  const int32x4_t quotient = vreinterpretq_s32_u32(vmulhq_u32(magnitude, vdupq_n_u32(reciprocal)));
  return vnegq_m_s32(quotient, quotient, vcmpltq_n_s32(sums, 0));
}

void te_average_pool_2d_mve(const te_average_pool_2d_params *p, const int8_t *input, int8_t *output) {
  const te_window *w = &p->window;
  const uint32_t channels = p->channels;
  const uint32_t row_step = w->input_w * channels;
  const int16x8_t low = vdupq_n_s16(p->activation_min);
  const int16x8_t high = vdupq_n_s16(p->activation_max);
  for (int32_t y = 0; y < w->output_h; y++) {
    const int32_t origin_y = y * w->stride_h - w->pad_top;
    const te_taps rows = te_clip_taps(origin_y, w->kernel_h, 1, w->input_h);
    for (int32_t x = 0; x < w->output_w; x++) {
      const int32_t origin_x = x * w->stride_w - w->pad_left;
      const te_taps columns = te_clip_taps(origin_x, w->kernel_w, 1, w->input_w);
      const int32_t first = (origin_y + rows.begin) * w->input_w + origin_x + columns.begin;
      const int8_t *patch = input + first * (int32_t)channels;
      const uint32_t height = (uint32_t)(rows.end - rows.begin), width = (uint32_t)(columns.end - columns.begin);
      const uint32_t cells = height * width;
      const uint32_t reciprocal = UINT32_MAX / cells + 1;
      for (uint32_t c = 0; c < channels; c += 8) {
        const mve_pred16_t some = vctp16q(channels - c);
        int16x8_t mean = channels - c >= 8 ? sum(patch + c, height, width, row_step, channels, some, 1)
                                           : sum(patch + c, height, width, row_step, channels, some, 0);
        if (cells > 1) { /* the reciprocal of 1 has 33 bits */
          const int32x4_t even = divide(vmovlbq_s16(mean), cells, reciprocal);
          const int32x4_t odd = divide(vmovltq_s16(mean), cells, reciprocal);
          mean = vmovntq_s32(vmovnbq_s32(mean, even), odd);
        }
        vstrbq_p_s16(output + c, vminq_s16(vmaxq_s16(mean, low), high), some);
      }
      output += channels;
    }
  }
}
