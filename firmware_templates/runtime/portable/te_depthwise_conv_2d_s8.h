/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise 2-D convolution, int8, one filter per channel, weights quantized per channel. */
#ifndef TE_DEPTHWISE_CONV_2D_S8_H
#define TE_DEPTHWISE_CONV_2D_S8_H

#include <stdint.h>

#include "te_window.h"

typedef struct {
  te_window window;
  uint16_t channels;
  int8_t input_zero_point;
  int8_t output_zero_point;
  int8_t activation_min;
  int8_t activation_max;
  const int8_t *weights;     /* [kernel_h][kernel_w][channels] */
  const int32_t *bias;       /* [channels] */
  const int32_t *multiplier; /* [channels] */
  const int8_t *shift;       /* [channels], in [-31, 30] */
} te_depthwise_conv_2d_params;

/* input    [input_h][input_w][channels]
 * output   [output_h][output_w][channels]
 * scratch  4 * channels bytes, aligned to 4: holds the bias with the input's zero point folded in. NULL when the zero
 *          point is 0, or when no window reaches outside the input and `bias` is already less input_zero_point times
 *          the sum of the channel's weights */
void te_depthwise_conv_2d_s8(const te_depthwise_conv_2d_params *p, const int8_t *input, int8_t *output, void *scratch);

#endif
