/* SPDX-License-Identifier: Apache-2.0 */
/* 2-D convolution of int8, whatever the form of the weights: strides, dilation, groups, padding. */
#ifndef TE_CONV_2D_H
#define TE_CONV_2D_H

#include <stdint.h>

#include "te_filters.h"
#include "te_find_window.h"
#include "te_window.h"

typedef struct {
  te_window window;
  uint16_t input_channels;
  uint16_t output_channels; /* a multiple of groups */
  uint16_t groups;          /* input_channels is a multiple of it */
  int8_t input_zero_point;  /* what padding reads as */
  te_filters filters;       /* [output_channels], taps [kernel_h][kernel_w][input_channels / groups] */
} te_conv_2d_params;

/* `filters` is the function for the form of the weights. */
static inline void te_conv_2d(const te_conv_2d_params *p, te_filters_function *filters, const int8_t *input,
                              int8_t *output, void *scratch) {
  const te_window *w = &p->window;
  const int32_t depth = p->input_channels / p->groups;
  const int32_t group_outputs = p->output_channels / p->groups;
  const te_view view = {w, p->input_channels, depth, p->input_zero_point};
  for (int32_t y = 0; y < w->output_h; y++) {
    for (int32_t x = 0; x < w->output_w; x++) {
      int32_t begin = 0;
      for (int32_t group = 0; group < p->groups; group++) {
        const int8_t *window = (const int8_t *)te_find_window(&view, input + group * depth, y, x, scratch);
        filters(&p->filters, begin, begin + group_outputs, 0, window, output);
        begin += group_outputs;
      }
      output += p->output_channels;
    }
  }
}

#endif
