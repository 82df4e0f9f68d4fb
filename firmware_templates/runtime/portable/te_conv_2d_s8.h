/* 2-D convolution, int8, weights quantized per output channel: strides, dilation, groups, padding. */
#ifndef TE_CONV_2D_S8_H
#define TE_CONV_2D_S8_H

#include <stdint.h>

#include "te_filters_s8.h"
#include "te_window.h"

typedef struct {
  te_window window;
  uint16_t input_channels;
  uint16_t output_channels; /* a multiple of groups */
  uint16_t groups;          /* input_channels is a multiple of it */
  int8_t input_zero_point;  /* what padding reads as */
  te_filters filters;       /* [output_channels], taps [kernel_h][kernel_w][input_channels / groups] */
} te_conv_2d_params;

/* input    [input_h][input_w][input_channels]
 * output   [output_h][output_w][output_channels]
 * scratch  kernel_h * kernel_w * input_channels / groups bytes, any alignment; or NULL when no window reaches
 *          outside and each one is a single run of bytes in the input, which is then read in place */
void te_conv_2d_s8(const te_conv_2d_params *p, const int8_t *input, int8_t *output, void *scratch);

#endif
