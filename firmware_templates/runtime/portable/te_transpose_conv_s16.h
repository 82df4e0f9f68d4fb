/* SPDX-License-Identifier: Apache-2.0 */
/* Transposed 2-D convolution, int16 with int8 weights, summed in int64, weights quantized per output channel. */
#ifndef TE_TRANSPOSE_CONV_S16_H
#define TE_TRANSPOSE_CONV_S16_H

#include <stdint.h>

#include "te_transposed.h"

typedef struct {
  te_transposed_axis rows;
  te_transposed_axis columns;
  uint16_t input_channels;
  uint16_t output_channels;
  int16_t activation_min;
  int16_t activation_max;
  const int8_t *weights;     /* [output_channels][kernel rows][kernel columns][input_channels] */
  const int64_t *bias;       /* [output_channels] */
  const int16_t *multiplier; /* [output_channels] */
  const uint8_t *right;      /* [output_channels], right shifts in [8, 46] */
} te_transpose_conv_s16_params;

/* input    [rows.input][columns.input][input_channels]
 * output   [rows.output][columns.output][output_channels], apart from the input
 * Sums stay in [-2^47, 2^47) whatever the input is. */
void te_transpose_conv_s16(const te_transpose_conv_s16_params *p, const int16_t *input, int16_t *output);

#endif
