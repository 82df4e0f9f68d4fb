/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise 2-D convolution, int8 with weights of int4 that are kept two to a byte, quantized per channel. */
#ifndef TE_DEPTHWISE_CONV_2D_S4_H
#define TE_DEPTHWISE_CONV_2D_S4_H

#include <stdint.h>

#include "te_window.h"

typedef struct {
  te_window window;
  uint16_t input_channels;
  uint16_t depth_multiplier; /* output channels for each input channel, one after the other */
  int8_t input_zero_point;
  int8_t output_zero_point;
  int8_t activation_min;
  int8_t activation_max;
  const int8_t *weights;     /* [kernel_h][kernel_w][(channels + 1) / 2], the even channel in the low half of a byte */
  const int32_t *bias;       /* [channels] */
  const int32_t *multiplier; /* [channels] */
  const int8_t *shift;       /* [channels], in [-31, 30] */
} te_depthwise_conv_2d_s4_params;

/* input   [input_h][input_w][input_channels]
 * output  [output_h][output_w][channels], input_channels * depth_multiplier of them */
void te_depthwise_conv_2d_s4(const te_depthwise_conv_2d_s4_params *p, const int8_t *input, int8_t *output);

#endif
