/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise 2-D convolution, int16 with weights of int8 quantized per channel, zero points 0. */
#ifndef TE_DEPTHWISE_CONV_2D_S16_H
#define TE_DEPTHWISE_CONV_2D_S16_H

#include <stdint.h>

#include "te_window.h"

typedef struct {
  te_window window;
  uint16_t input_channels;
  uint16_t depth_multiplier; /* output channels for each input channel, one after the other */
  int16_t activation_min;
  int16_t activation_max;
  const int8_t *weights;     /* [kernel_h][kernel_w][channels] */
  const int64_t *bias;       /* [channels] */
  const int16_t *multiplier; /* [channels] */
  const uint8_t *right;      /* [channels], right shifts in [8, 46] */
} te_depthwise_conv_2d_s16_params;

/* input   [input_h][input_w][input_channels]
 * output  [output_h][output_w][channels], input_channels * depth_multiplier of them
 * Sums stay in [-2^47, 2^47) whatever the input is. */
void te_depthwise_conv_2d_s16(const te_depthwise_conv_2d_s16_params *p, const int16_t *input, int16_t *output);

#endif
