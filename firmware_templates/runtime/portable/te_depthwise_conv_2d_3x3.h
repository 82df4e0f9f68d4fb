/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise 2-D convolution of int8 by filters of 3x3 without dilation, one channel after the other.
 *
 * A channel is copied out of the image with its border around it, so that its taps lie side by side and its outputs may
 * overwrite its inputs. */
#ifndef TE_DEPTHWISE_CONV_2D_3X3_H
#define TE_DEPTHWISE_CONV_2D_3X3_H

#include <stdint.h>

#include "te_requantize_short.h"

typedef struct {
  uint16_t input_h, input_w;
  uint16_t output_h, output_w;
  uint16_t channels;
  uint16_t stride_w;
  uint16_t pitch;    /* bytes of a row of the plane that holds a channel with its border */
  uint16_t row_step; /* from a row of outputs to the next one's, in the plane */
  uint16_t plane_bytes;
  uint16_t plane_begin;      /* where the image begins in it */
  const int8_t *weights;     /* [channels][3][3] */
  const int32_t *bias;       /* [channels], less the input's zero point times the sum of the weights */
  const int32_t *multiplier; /* [channels] */
  const uint8_t *shift;      /* [channels], as te_short_output_s8 takes it */
  int8_t input_zero_point;
  te_output_range range;
} te_depthwise_3x3_params;

/* input    [input_h][input_w][channels]
 * output   [output_h][output_w][channels]; may be where the input is
 * scratch  plane_bytes, any alignment */
void te_depthwise_conv_2d_3x3(const te_depthwise_3x3_params *p, const int8_t *input, int8_t *output, void *scratch);

#endif
