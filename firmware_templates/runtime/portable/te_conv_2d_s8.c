#include "te_conv_2d_s8.h"

#include <stddef.h>
#include <string.h>

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
static const int8_t *find_window(const te_conv_2d_params *p, const int8_t *input, int32_t depth, int32_t y, int32_t x,
                                 int8_t *buffer) {
  const te_window *w = &p->window;
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

void te_conv_2d_s8(const te_conv_2d_params *p, const int8_t *input, int8_t *output, void *scratch) {
  const te_window *w = &p->window;
  const int32_t depth = p->input_channels / p->groups;
  const int32_t group_outputs = p->output_channels / p->groups;
  for (int32_t y = 0; y < w->output_h; y++) {
    for (int32_t x = 0; x < w->output_w; x++) {
      int32_t begin = 0;
      for (int32_t group = 0; group < p->groups; group++) {
        const int8_t *window = find_window(p, input + group * depth, depth, y, x, scratch);
        te_filters_s8(&p->filters, begin, begin + group_outputs, 0, window, output);
        begin += group_outputs;
      }
      output += p->output_channels;
    }
  }
}
