/* SPDX-License-Identifier: Apache-2.0 */
#include "te_depthwise_conv_2d_3x3.h"

#include <string.h>

/* Copy a channel to the middle of its plane. */
static void copy_channel(const te_depthwise_3x3_params *p, const int8_t *input, int8_t *plane) {
  const int32_t channels = p->channels;
  const int32_t columns = p->input_w;
  for (int32_t row = p->input_h; row > 0; row--) {
    for (int32_t x = 0; x < columns; x++) {
      plane[x] = *input;
      input += channels;
    }
    plane += p->pitch;
  }
}

/* All outputs of a channel. A function of its own, so that its loop has the registers to itself. */
static __attribute__((noinline)) void filter_channel(const te_depthwise_3x3_params *p, int32_t channel,
                                                     const int8_t *plane, int8_t *output) {
  const int8_t *w = p->weights + 9 * channel;
  const int32_t w0 = w[0], w1 = w[1], w2 = w[2];
  const int32_t w3 = w[3], w4 = w[4], w5 = w[5];
  const int32_t w6 = w[6], w7 = w[7], w8 = w[8];
  const int32_t bias = p->bias[channel];
  const int32_t multiplier = p->multiplier[channel];
  const uint32_t shift = p->shift[channel];
  const te_output_range range = p->range;
  const uint32_t pitch = p->pitch;
  const uint32_t step = p->stride_w;
  const int32_t channels = p->channels;
  for (int32_t row = p->output_h; row > 0; row--) {
    const int8_t *x = plane;
    for (int32_t left = p->output_w; left > 0; left--) {
      const int8_t *y = x + pitch;
      const int8_t *z = y + pitch;
      int32_t sum = bias;
      sum += x[0] * w0 + x[1] * w1 + x[2] * w2;
      sum += y[0] * w3 + y[1] * w4 + y[2] * w5;
      sum += z[0] * w6 + z[1] * w7 + z[2] * w8;
      *output = te_short_output_s8(sum, multiplier, shift, range.zero_point, range.min, range.max);
      output += channels;
      x += step;
    }
    plane += p->row_step;
  }
}

void te_depthwise_conv_2d_3x3(const te_depthwise_3x3_params *p, const int8_t *input, int8_t *output, void *scratch) {
  memset(scratch, p->input_zero_point, p->plane_bytes);
  for (int32_t channel = 0; channel < p->channels; channel++) {
    copy_channel(p, input + channel, (int8_t *)scratch + p->plane_begin);
    filter_channel(p, channel, (const int8_t *)scratch, output + channel);
  }
}
