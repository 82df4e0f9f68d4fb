/* SPDX-License-Identifier: Apache-2.0 */
#include "te_max_pool_2d_s8.h"

#include "te_requantize.h"

/* The cells of one window that are inside the input; steps in elements. */
typedef struct {
  int32_t rows, columns;
  int32_t row_step, column_step;
} te_patch;

static inline int32_t larger(int32_t a, int32_t b) {
  return a > b ? a : b;
}

/* Four channels at a time, so that the walk over the window is shared. */
static inline void max_4(const te_patch *patch, const int8_t *x, int32_t max[4]) {
  int32_t m0 = INT8_MIN;
  int32_t m1 = INT8_MIN;
  int32_t m2 = INT8_MIN;
  int32_t m3 = INT8_MIN;
  for (int32_t row = patch->rows; row > 0; row--) {
    const int8_t *cell = x;
    for (int32_t column = patch->columns; column > 0; column--) {
      m0 = larger(m0, cell[0]);
      m1 = larger(m1, cell[1]);
      m2 = larger(m2, cell[2]);
      m3 = larger(m3, cell[3]);
      cell += patch->column_step;
    }
    x += patch->row_step;
  }
  max[0] = m0;
  max[1] = m1;
  max[2] = m2;
  max[3] = m3;
}

static int32_t max_1(const te_patch *patch, const int8_t *x) {
  int32_t max = INT8_MIN;
  for (int32_t row = 0; row < patch->rows; row++) {
    for (int32_t column = 0; column < patch->columns; column++) {
      max = larger(max, x[column * patch->column_step]);
    }
    x += patch->row_step;
  }
  return max;
}

static void pool_pixel(const te_max_pool_2d_params *p, const te_patch *patch, const int8_t *x, int8_t *output) {
  int32_t c = 0;
  for (; c + 4 <= p->channels; c += 4) {
    int32_t max[4];
    max_4(patch, x + c, max);
    for (int32_t i = 0; i < 4; i++) {
      output[c + i] = te_clamp_s8(max[i], p->activation_min, p->activation_max);
    }
  }
  for (; c < p->channels; c++) {
    output[c] = te_clamp_s8(max_1(patch, x + c), p->activation_min, p->activation_max);
  }
}

void te_max_pool_2d_s8(const te_max_pool_2d_params *p, const int8_t *input, int8_t *output) {
  const te_window *w = &p->window;
  const int32_t channels = p->channels;
  te_patch patch = {0, 0, w->input_w * channels, channels};
  for (int32_t y = 0; y < w->output_h; y++) {
    const int32_t origin_y = y * w->stride_h - w->pad_top;
    const te_taps rows = te_clip_taps(origin_y, w->kernel_h, 1, w->input_h);
    patch.rows = rows.end - rows.begin;
    for (int32_t x = 0; x < w->output_w; x++) {
      const int32_t origin_x = x * w->stride_w - w->pad_left;
      const te_taps columns = te_clip_taps(origin_x, w->kernel_w, 1, w->input_w);
      patch.columns = columns.end - columns.begin;
      pool_pixel(p, &patch, input + ((origin_y + rows.begin) * w->input_w + origin_x + columns.begin) * channels,
                 output);
      output += channels;
    }
  }
}
