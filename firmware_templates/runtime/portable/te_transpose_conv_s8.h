/* SPDX-License-Identifier: Apache-2.0 */
/* Transposed 2-D convolution, int8, weights quantized per output channel. */
#ifndef TE_TRANSPOSE_CONV_S8_H
#define TE_TRANSPOSE_CONV_S8_H

#include <stdint.h>

#include "te_transposed.h"

typedef struct {
  te_transposed_axis rows;
  te_transposed_axis columns;
  uint16_t input_channels;
  uint16_t output_channels;
  int8_t input_zero_point;
  int8_t output_zero_point;
  int8_t activation_min;
  int8_t activation_max;
  const int8_t *weights;     /* [output_channels][kernel rows][kernel columns][input_channels] */
  const int32_t *bias;       /* [output_channels] */
  const int32_t *multiplier; /* [output_channels] */
  const int8_t *shift;       /* [output_channels], in [-31, 30] */
} te_transpose_conv_params;

/* input    [rows.input][columns.input][input_channels]
 * output   [rows.output][columns.output][output_channels], apart from the input
 * Sums stay in int32 whatever the input is. */
void te_transpose_conv_s8(const te_transpose_conv_params *p, const int8_t *input, int8_t *output);

#endif
