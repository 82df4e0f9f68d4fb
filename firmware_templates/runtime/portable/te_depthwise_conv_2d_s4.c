/* SPDX-License-Identifier: Apache-2.0 */
#include "te_depthwise_conv_2d_s4.h"

#include "te_requantize.h"

/* The taps of one window that are inside the input, with the bytes between them. */
typedef struct {
  int32_t rows, columns;
  int32_t input_row, input_column;
  int32_t weights_row, weights_column;
} te_patch;

/* One channel of one pixel. `up` brings the channel's half of a byte to the top of a word. */
static int32_t filter(const te_patch *patch, const int8_t *x, const int8_t *w, uint32_t up, int32_t zero_point,
                      int32_t sum) {
  for (int32_t row = patch->rows; row > 0; row--) {
    const int8_t *xp = x;
    const int8_t *wp = w;
    for (int32_t column = patch->columns; column > 0; column--) {
      sum += ((int32_t)((uint32_t)*wp << up) >> 28) * (*xp - zero_point);
      xp += patch->input_column;
      wp += patch->weights_column;
    }
    x += patch->input_row;
    w += patch->weights_row;
  }
  return sum;
}

void te_depthwise_conv_2d_s4(const te_depthwise_conv_2d_s4_params *p, const int8_t *input, int8_t *output) {
  const te_window *w = &p->window;
  const int32_t input_row = w->input_w * p->input_channels;
  const int32_t pairs = (p->input_channels * p->depth_multiplier + 1) / 2;
  te_patch patch = {0, 0, w->dilation_h * input_row, w->dilation_w * p->input_channels, w->kernel_w * pairs, pairs};
  for (int32_t y = 0; y < w->output_h; y++) {
    const int32_t origin_y = y * w->stride_h - w->pad_top;
    const te_taps rows = te_clip_taps(origin_y, w->kernel_h, w->dilation_h, w->input_h);
    patch.rows = rows.end - rows.begin;
    for (int32_t x = 0; x < w->output_w; x++) {
      const int32_t origin_x = x * w->stride_w - w->pad_left;
      const te_taps columns = te_clip_taps(origin_x, w->kernel_w, w->dilation_w, w->input_w);
      patch.columns = columns.end - columns.begin;
      const int8_t *from = input + (origin_y + rows.begin * w->dilation_h) * input_row +
                           (origin_x + columns.begin * w->dilation_w) * p->input_channels;
      const int8_t *weights = p->weights + rows.begin * patch.weights_row + columns.begin * pairs;
      int32_t c = 0;
      for (int32_t source = 0; source < p->input_channels; source++) {
        for (int32_t copy = 0; copy < p->depth_multiplier; copy++) {
          const uint32_t up = c % 2 == 0 ? 28 : 24;
          const int32_t sum = filter(&patch, from + source, weights + c / 2, up, p->input_zero_point, p->bias[c]);
          *output++ = te_output_s8(sum, p->multiplier[c], p->shift[c], p->output_zero_point, p->activation_min,
                                   p->activation_max);
          c++;
        }
      }
    }
  }
}
