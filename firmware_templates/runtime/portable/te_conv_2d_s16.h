/* SPDX-License-Identifier: Apache-2.0 */
/* 2-D convolution, int16 with weights of int8, zero points 0: strides, dilation, groups, padding. */
#ifndef TE_CONV_2D_S16_H
#define TE_CONV_2D_S16_H

#include <stdint.h>

#include "te_filters_s16.h"
#include "te_window.h"

typedef struct {
  te_window window;
  uint16_t input_channels;
  uint16_t output_channels;      /* a multiple of groups */
  uint16_t groups;               /* input_channels is a multiple of it */
  te_filters_s16_params filters; /* [output_channels], taps [kernel_h][kernel_w][input_channels / groups] */
} te_conv_2d_s16_params;

/* input    [input_h][input_w][input_channels]
 * output   [output_h][output_w][output_channels]
 * scratch  kernel_h * kernel_w * input_channels / groups elements; or NULL when no window reaches outside and each one
 *          is a single run of the input, which is then read in place */
void te_conv_2d_s16(const te_conv_2d_s16_params *p, const int16_t *input, int16_t *output, void *scratch);

#endif
