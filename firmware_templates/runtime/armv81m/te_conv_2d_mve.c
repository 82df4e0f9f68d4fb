/* SPDX-License-Identifier: Apache-2.0 */
#include "te_conv_2d_mve.h"

#include "te_copy_mve.h"

/* Let the window begin at row `first` of the input with its border: rows it has already move up, others are loaded. */
static void move_window(const te_conv_mve_params *p, const int8_t *input, int8_t *window, int32_t first) {
  const uint32_t pitch = p->pitch;
  uint32_t kept = 0;
  if (first > 0 && p->window_rows > p->stride_h) {
    kept = (uint32_t)p->window_rows - p->stride_h;
    te_copy_mve(window, window + p->stride_h * pitch, kept * pitch);
  }
  for (uint32_t row = kept; row < p->window_rows; row++) {
    const int32_t at = first + (int32_t)row - p->pad_top;
    if (at >= 0 && at < p->input_rows) {
      te_copy_mve(window + row * pitch + p->left_bytes, input + at * p->row_bytes, p->row_bytes);
    } else {
      te_fill_mve(window + row * pitch, p->input_zero_point, pitch);
    }
  }
}

/* Gather the windows of a row of pixels, each into one run. What is written beyond a run is overwritten by the next
 * one, or counts nothing, since its weights are 0. Bytes may be anywhere, in the parameters too for all a compiler
 * knows, hence the copies. */
static void gather(const te_conv_mve_params *p, const int8_t *window, int8_t *column) {
  const uint32_t rows = p->kernel_rows, row_bytes = p->kernel_row_bytes, pixel_step = p->pixel_step;
  const uint32_t runs = p->runs, run_bytes = p->run_bytes, run_step = p->run_step, column_bytes = p->column_bytes;
  const int short_rows = runs == 1 && run_bytes <= 16;
  for (uint32_t x = p->width; x; x--) {
    const int8_t *row = window;
    int8_t *to = column;
    if (short_rows) {
      for (uint32_t y = rows; y; y--) {
        vstrbq_s8(to, vldrbq_s8(row));
        row += row_bytes;
        to += run_bytes;
      }
    } else {
      for (uint32_t y = rows; y; y--) {
        const int8_t *run = row;
        for (uint32_t i = runs; i; i--) {
          for (uint32_t at = 0; at < run_bytes; at += 16) {
            vstrbq_s8(to + at, vldrbq_s8(run + at));
          }
          to += run_bytes;
          run += run_step;
        }
        row += row_bytes;
      }
    }
    window += pixel_step;
    column += column_bytes;
  }
}

void te_conv_2d_mve(const te_conv_mve_params *p, const int8_t *input, int8_t *output, void *scratch) {
  int8_t *const window = scratch;
  if (p->window_rows) {
    te_fill_mve(window, p->input_zero_point, p->window_bytes);
  }
  for (uint32_t y = 0; y < p->rows; y++) {
    const int8_t *from = input + y * p->stride_h * p->row_bytes;
    if (p->window_rows) {
      move_window(p, input, window, (int32_t)(y * p->stride_h));
      from = window;
    }
    if (p->column_bytes) {
      gather(p, window, window + p->window_bytes);
      from = window + p->window_bytes;
    }
    const uint32_t whole = p->width / p->tile_pixels;
    p->run(from, p->weights, output, whole);
    if (whole * p->tile_pixels < p->width) { /* of the last pair the first pixel has been there before */
      const uint32_t last = p->width - 2;
      p->run(from + last * p->step, p->weights, output + last * p->output_channels, 1);
    }
    output += p->width * p->output_channels;
  }
}
