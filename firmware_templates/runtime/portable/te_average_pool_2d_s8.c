/* SPDX-License-Identifier: Apache-2.0 */
#include "te_average_pool_2d_s8.h"

#include "te_requantize.h"

/* Below this many cells, (2^24 / cells) + 1 times a sum, shifted right by 24, is the sum divided by cells, exactly:
 * sums are at most 128.5 * cells, so the product fits 32 bits and the error, at most 128.5 * cells^2 / 2^24 / cells,
 * stays below the 1 / cells that could reach the next integer. */
#define TE_RECIPROCAL_CELLS 361

/* The cells of one window that are inside the input, steps in elements, and how to divide by their number. */
typedef struct {
  int32_t rows, columns;
  int32_t row_step, column_step;
  int32_t cells;
  uint32_t reciprocal; /* 0: too many cells */
} te_patch;

static int8_t average(const te_average_pool_2d_params *p, const te_patch *patch, int32_t sum) {
  const uint32_t magnitude = (uint32_t)(sum < 0 ? -sum : sum) + (uint32_t)patch->cells / 2;
  const int32_t quotient =
      (int32_t)(patch->reciprocal != 0 ? (magnitude * patch->reciprocal) >> 24 : magnitude / (uint32_t)patch->cells);
  return te_clamp_s8(sum < 0 ? -quotient : quotient, p->activation_min, p->activation_max);
}

/* Four channels at a time, so that the walk over the window is shared. */
static inline void add_4(const te_patch *patch, const int8_t *x, int32_t sum[4]) {
  int32_t s0 = 0;
  int32_t s1 = 0;
  int32_t s2 = 0;
  int32_t s3 = 0;
  for (int32_t row = patch->rows; row > 0; row--) {
    const int8_t *cell = x;
    for (int32_t column = patch->columns; column > 0; column--) {
      s0 += cell[0];
      s1 += cell[1];
      s2 += cell[2];
      s3 += cell[3];
      cell += patch->column_step;
    }
    x += patch->row_step;
  }
  sum[0] = s0;
  sum[1] = s1;
  sum[2] = s2;
  sum[3] = s3;
}

static int32_t add_1(const te_patch *patch, const int8_t *x) {
  int32_t sum = 0;
  for (int32_t row = 0; row < patch->rows; row++) {
    for (int32_t column = 0; column < patch->columns; column++) {
      sum += x[column * patch->column_step];
    }
    x += patch->row_step;
  }
  return sum;
}

static void pool_pixel(const te_average_pool_2d_params *p, const te_patch *patch, const int8_t *x, int8_t *output) {
  int32_t c = 0;
  for (; c + 4 <= p->channels; c += 4) {
    int32_t sum[4];
    add_4(patch, x + c, sum);
    for (int32_t i = 0; i < 4; i++) {
      output[c + i] = average(p, patch, sum[i]);
    }
  }
  for (; c < p->channels; c++) {
    output[c] = average(p, patch, add_1(patch, x + c));
  }
}

void te_average_pool_2d_s8(const te_average_pool_2d_params *p, const int8_t *input, int8_t *output) {
  const te_window *w = &p->window;
  const int32_t channels = p->channels;
  te_patch patch = {0, 0, w->input_w * channels, channels, 0, 0};
  for (int32_t y = 0; y < w->output_h; y++) {
    const int32_t origin_y = y * w->stride_h - w->pad_top;
    const te_taps rows = te_clip_taps(origin_y, w->kernel_h, 1, w->input_h);
    patch.rows = rows.end - rows.begin;
    for (int32_t x = 0; x < w->output_w; x++) {
      const int32_t origin_x = x * w->stride_w - w->pad_left;
      const te_taps columns = te_clip_taps(origin_x, w->kernel_w, 1, w->input_w);
      patch.columns = columns.end - columns.begin;
      const int32_t cells = patch.rows * patch.columns;
      if (cells != patch.cells) { /* a division only where the size changes */
        patch.cells = cells;
        patch.reciprocal = cells < TE_RECIPROCAL_CELLS ? (UINT32_C(1) << 24) / (uint32_t)cells + 1 : 0;
      }
      pool_pixel(p, &patch, input + ((origin_y + rows.begin) * w->input_w + origin_x + columns.begin) * channels,
                 output);
      output += channels;
    }
  }
}
