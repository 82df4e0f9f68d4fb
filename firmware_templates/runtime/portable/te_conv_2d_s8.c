#include "te_conv_2d_s8.h"

#include <stddef.h>
#include <string.h>

#include "te_dot_s8.h"
#include "te_requantize.h"

/* Copy one row of a window's taps, `depth` channels each; what is outside the input reads as the zero point. */
static void gather_row(const te_conv_2d_params *p, const int8_t *row, int32_t origin_x, int32_t depth, int8_t *to) {
  const te_window *w = &p->window;
  const te_taps taps = te_clip_taps(origin_x, w->kernel_w, w->dilation_w, w->input_w);
  const size_t left = (size_t)(taps.begin * depth);
  const size_t inside = (size_t)((taps.end - taps.begin) * depth);
  const size_t right = (size_t)((w->kernel_w - taps.end) * depth);
  const int32_t step = w->dilation_w * p->input_channels;
  const int8_t *from = row + origin_x * p->input_channels + taps.begin * step;
  memset(to, p->input_zero_point, left);
  to += left;
  if (step == depth) {
    memcpy(to, from, inside);
  } else {
    for (int32_t tap = taps.begin; tap < taps.end; tap++) {
      for (int32_t c = 0; c < depth; c++) {
        to[c] = from[c];
      }
      to += depth;
      from += step;
    }
    to -= inside;
  }
  memset(to + inside, p->input_zero_point, right);
}

/* The input under the window of output (y, x), one group's channels, as a run of bytes: in `buffer`, or in place. */
static const int8_t *find_window(const te_conv_2d_params *p, const int8_t *input, int32_t y, int32_t x,
                                 int8_t *buffer) {
  const te_window *w = &p->window;
  const int32_t depth = p->input_channels / p->groups;
  const int32_t row_bytes = w->input_w * p->input_channels;
  const int32_t origin_x = x * w->stride_w - w->pad_left;
  int32_t input_y = y * w->stride_h - w->pad_top;
  if (buffer == NULL) {
    return input + input_y * row_bytes + origin_x * p->input_channels;
  }
  int8_t *to = buffer;
  for (int32_t tap = 0; tap < w->kernel_h; tap++) {
    if (input_y >= 0 && input_y < w->input_h) {
      gather_row(p, input + input_y * row_bytes, origin_x, depth, to);
    } else {
      memset(to, p->input_zero_point, (size_t)(w->kernel_w * depth));
    }
    to += w->kernel_w * depth;
    input_y += w->dilation_h;
  }
  return buffer;
}

/* Output channels [begin, end) of two pixels, two channels at a time; an odd one out is computed twice. */
static void convolve_pair(const te_conv_2d_params *p, int32_t begin, int32_t end, int32_t taps, const int8_t *x0,
                          const int8_t *x1, int8_t *out0, int8_t *out1) {
  const int32_t zero_point = p->output_zero_point;
  const int32_t min = p->activation_min;
  const int32_t max = p->activation_max;
  for (int32_t a = begin; a < end; a += 2) {
    const int32_t b = a + 1 < end ? a + 1 : a;
    const int8_t *weights = p->weights + a * taps;
    int32_t sum[4] = {p->bias[a], p->bias[a], p->bias[b], p->bias[b]};
    te_dot_2x2_s8(weights, weights + (b - a) * taps, x0, x1, taps, sum);
    out0[a] = te_output_s8(sum[0], p->multiplier[a], p->shift[a], zero_point, min, max);
    out1[a] = te_output_s8(sum[1], p->multiplier[a], p->shift[a], zero_point, min, max);
    out0[b] = te_output_s8(sum[2], p->multiplier[b], p->shift[b], zero_point, min, max);
    out1[b] = te_output_s8(sum[3], p->multiplier[b], p->shift[b], zero_point, min, max);
  }
}

void te_conv_2d_s8(const te_conv_2d_params *p, const int8_t *input, int8_t *output, void *scratch) {
  const te_window *w = &p->window;
  const int32_t depth = p->input_channels / p->groups;
  const int32_t group_outputs = p->output_channels / p->groups;
  const int32_t taps = w->kernel_h * w->kernel_w * depth;
  const int32_t pixels = w->output_h * w->output_w;
  int8_t *buffer0 = scratch;
  int8_t *buffer1 = scratch == NULL ? NULL : buffer0 + taps;
  int32_t y0 = 0;
  int32_t x0 = 0;
  for (int32_t pixel = 0; pixel < pixels; pixel += 2) {
    const int lone = pixel + 1 == pixels; /* the last of an odd number of pixels: computed twice */
    const int32_t x1 = x0 + 1 < w->output_w ? x0 + 1 : 0;
    const int32_t y1 = x1 > 0 ? y0 : y0 + 1;
    int8_t *second = lone ? output : output + p->output_channels;
    for (int32_t group = 0; group < p->groups; group++) {
      const int8_t *from = input + group * depth;
      const int8_t *window0 = find_window(p, from, y0, x0, buffer0);
      const int8_t *window1 = lone ? window0 : find_window(p, from, y1, x1, buffer1);
      const int32_t begin = group * group_outputs;
      convolve_pair(p, begin, begin + group_outputs, taps, window0, window1, output, second);
    }
    output += 2 * p->output_channels;
    x0 = x1 + 1 < w->output_w ? x1 + 1 : 0;
    y0 = x0 > 0 ? y1 : y1 + 1;
  }
}
