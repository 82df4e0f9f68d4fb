/* SPDX-License-Identifier: Apache-2.0 */
#include "te_depthwise_conv_2d_s8.h"

#include <stddef.h>

#include "te_requantize.h"

/* The taps of one window that are inside the input: `rows` by `columns`, with the steps between them in elements. */
typedef struct {
  int32_t rows, columns;
  int32_t input_row, input_column;
  int32_t weights_row, weights_column;
} te_patch;

/* Four channels of one pixel. `zero_point` is 0 where it is folded into the sums already; the calls pass it literally,
 * so that the compiler makes one loop with the subtraction and one without. */
static inline void filter_4(const te_patch *patch, const int8_t *x, const int8_t *w, int32_t zero_point,
                            int32_t sum[4]) {
  const int32_t x_step = patch->input_column;
  const int32_t w_step = patch->weights_column;
  int32_t s0 = sum[0];
  int32_t s1 = sum[1];
  int32_t s2 = sum[2];
  int32_t s3 = sum[3];
  for (int32_t row = patch->rows; row > 0; row--) {
    const int8_t *xp = x;
    const int8_t *wp = w;
    for (int32_t column = patch->columns; column > 0; column--) {
      s0 += wp[0] * (xp[0] - zero_point);
      s1 += wp[1] * (xp[1] - zero_point);
      s2 += wp[2] * (xp[2] - zero_point);
      s3 += wp[3] * (xp[3] - zero_point);
      xp += x_step;
      wp += w_step;
    }
    x += patch->input_row;
    w += patch->weights_row;
  }
  sum[0] = s0;
  sum[1] = s1;
  sum[2] = s2;
  sum[3] = s3;
}

/* One channel of one pixel. */
static int32_t filter_1(const te_patch *patch, const int8_t *x, const int8_t *w, int32_t zero_point, int32_t sum) {
  for (int32_t row = 0; row < patch->rows; row++) {
    for (int32_t column = 0; column < patch->columns; column++) {
      sum += w[column * patch->weights_column] * (x[column * patch->input_column] - zero_point);
    }
    x += patch->input_row;
    w += patch->weights_row;
  }
  return sum;
}

/* All channels of one pixel; `x` and `w` point at the patch's first tap. A function of its own, so that its loops have
 * the registers to themselves. */
static __attribute__((noinline)) void filter_pixel(const te_depthwise_conv_2d_params *p, const te_patch *patch,
                                                   const int8_t *x, const int8_t *w, const int32_t *bias,
                                                   int32_t zero_point, int8_t *output) {
  const int32_t *multiplier = p->multiplier;
  const int8_t *shift = p->shift;
  const int32_t output_zero_point = p->output_zero_point;
  const int32_t min = p->activation_min;
  const int32_t max = p->activation_max;
  int32_t left = p->channels;
  for (; left >= 4; left -= 4) {
    int32_t sum[4] = {bias[0], bias[1], bias[2], bias[3]};
    if (zero_point == 0) {
      filter_4(patch, x, w, 0, sum);
    } else {
      filter_4(patch, x, w, zero_point, sum);
    }
    for (int32_t i = 0; i < 4; i++) {
      *output++ = te_output_s8(sum[i], *multiplier++, *shift++, output_zero_point, min, max);
    }
    x += 4;
    w += 4;
    bias += 4;
  }
  for (; left > 0; left--) {
    const int32_t sum = filter_1(patch, x++, w++, zero_point, *bias++);
    *output++ = te_output_s8(sum, *multiplier++, *shift++, output_zero_point, min, max);
  }
}

/* bias - zero point * sum of weights, for windows that lie wholly inside. */
static void fold_zero_point(const te_depthwise_conv_2d_params *p, int32_t *folded) {
  const int32_t taps = p->window.kernel_h * p->window.kernel_w;
  const int8_t *w = p->weights;
  for (int32_t c = 0; c < p->channels; c++) {
    folded[c] = p->bias[c];
  }
  for (int32_t tap = 0; tap < taps; tap++) {
    for (int32_t c = 0; c < p->channels; c++) {
      folded[c] -= p->input_zero_point * w[c];
    }
    w += p->channels;
  }
}

void te_depthwise_conv_2d_s8(const te_depthwise_conv_2d_params *p, const int8_t *input, int8_t *output, void *scratch) {
  const te_window *w = &p->window;
  const int32_t channels = p->channels;
  const int32_t input_row = w->input_w * channels;
  const int32_t weights_row = w->kernel_w * channels;
  const int32_t *inside_bias = p->bias;
  if (scratch != NULL) {
    fold_zero_point(p, (int32_t *)scratch);
    inside_bias = (const int32_t *)scratch;
  }
  te_patch patch = {0, 0, w->dilation_h * input_row, w->dilation_w * channels, weights_row, channels};
  for (int32_t y = 0; y < w->output_h; y++) {
    const int32_t origin_y = y * w->stride_h - w->pad_top;
    const te_taps rows = te_clip_taps(origin_y, w->kernel_h, w->dilation_h, w->input_h);
    patch.rows = rows.end - rows.begin;
    for (int32_t x = 0; x < w->output_w; x++) {
      const int32_t origin_x = x * w->stride_w - w->pad_left;
      const te_taps columns = te_clip_taps(origin_x, w->kernel_w, w->dilation_w, w->input_w);
      patch.columns = columns.end - columns.begin;
      const int inside = patch.rows == w->kernel_h && patch.columns == w->kernel_w;
      const int32_t first_y = origin_y + rows.begin * w->dilation_h;
      const int32_t first_x = origin_x + columns.begin * w->dilation_w;
      filter_pixel(p, &patch, input + first_y * input_row + first_x * channels,
                   p->weights + rows.begin * weights_row + columns.begin * channels, inside ? inside_bias : p->bias,
                   inside ? 0 : p->input_zero_point, output);
      output += channels;
    }
  }
}
