/* SPDX-License-Identifier: Apache-2.0 */
#include "te_transpose_conv_s8.h"

#include "te_requantize.h"

/* The sum for one output value: over all inputs that reach it, and their channels. */
static int32_t sum_of(const te_transpose_conv_params *p, const te_reach *rows, const te_reach *columns,
                      const int8_t *input, const int8_t *weights) {
  const int32_t channels = p->input_channels;
  const int32_t zero_point = p->input_zero_point;
  const int32_t input_row = p->columns.input * channels;
  const int32_t weights_row = p->columns.kernel * channels;
  int32_t sum = 0;
  for (int32_t i = 0; i < rows->count; i++) {
    const int8_t *cell = input + (rows->first + i) * input_row + columns->first * channels;
    const int8_t *row = weights + (rows->tap - i * p->rows.stride) * weights_row;
    for (int32_t j = 0; j < columns->count; j++) {
      const int8_t *w = row + (columns->tap - j * p->columns.stride) * channels;
      for (int32_t c = 0; c < channels; c++) {
        sum += (*cell++ - zero_point) * w[c];
      }
    }
  }
  return sum;
}

void te_transpose_conv_s8(const te_transpose_conv_params *p, const int8_t *input, int8_t *output) {
  const int32_t taps = p->rows.kernel * p->columns.kernel * p->input_channels;
  for (int32_t y = 0; y < p->rows.output; y++) {
    const te_reach rows = te_reach_of(&p->rows, y);
    for (int32_t x = 0; x < p->columns.output; x++) {
      const te_reach columns = te_reach_of(&p->columns, x);
      const int8_t *weights = p->weights;
      for (int32_t c = 0; c < p->output_channels; c++) {
        const int32_t sum = sum_of(p, &rows, &columns, input, weights) + p->bias[c];
        *output++ = te_output_s8(sum, p->multiplier[c], p->shift[c], p->output_zero_point, p->activation_min,
                                 p->activation_max);
        weights += taps;
      }
    }
  }
}
