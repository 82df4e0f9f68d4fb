/* SPDX-License-Identifier: Apache-2.0 */
#include "te_conv_2d_s16.h"

#include "te_find_window.h"

void te_conv_2d_s16(const te_conv_2d_s16_params *p, const int16_t *input, int16_t *output, void *scratch) {
  const te_window *w = &p->window;
  const int32_t depth = p->input_channels / p->groups;
  const int32_t group_outputs = p->output_channels / p->groups;
  const int32_t bytes = (int32_t)sizeof *input;
  const te_view view = {w, bytes * p->input_channels, bytes * depth, 0};
  for (int32_t y = 0; y < w->output_h; y++) {
    for (int32_t x = 0; x < w->output_w; x++) {
      int32_t begin = 0;
      for (int32_t group = 0; group < p->groups; group++) {
        const int16_t *window = (const int16_t *)te_find_window(&view, input + group * depth, y, x, scratch);
        te_filters_s16(&p->filters, begin, begin + group_outputs, window, output);
        begin += group_outputs;
      }
      output += p->output_channels;
    }
  }
}
