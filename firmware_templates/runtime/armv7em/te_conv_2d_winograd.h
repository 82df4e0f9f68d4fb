/* SPDX-License-Identifier: Apache-2.0 */
/* 2-D convolution 3x3, stride 1, int8, by exact integer Winograd F(2x2, 3x3): the way through the image.
 *
 * Four rows of input are kept widened to int16, with their border. A strip of four tiles of 2x2 outputs at a time is
 * transformed, multiplied with the transformed weights for two output channels at a time, and transformed back; that is
 * done by functions emitted for the layer.
 */
#ifndef TE_CONV_2D_WINOGRAD_H
#define TE_CONV_2D_WINOGRAD_H

#include <stdint.h>

/* Combine two rows of int16 over ten columns, then transform the columns of four tiles: 4 of 16 points each. */
typedef void (*te_winograd_rows)(const int16_t *first, const int16_t *second, int16_t *points);
/* Products of four tiles with the weights of two channels: 16 points of 8 sums. */
typedef void (*te_winograd_products)(const int16_t *points, const uint32_t *weights, int32_t *sums);
/* Transform back, requantize and store two channels of four tiles. */
typedef void (*te_winograd_outputs)(const int32_t *sums, const uint32_t *factors, int8_t *output, int32_t zero_point);

typedef struct {
  te_winograd_rows rows_difference, rows_sum;
  te_winograd_products products;
  te_winograd_outputs outputs;
  const uint32_t *weights; /* for each two channels: the transformed weights, then bias and two factors for each */
  uint16_t pair_words;     /* of weights and factors for two channels */
  uint16_t factor_words;   /* of the factors among them */
  uint16_t input_rows;
  uint16_t row_bytes; /* of the input, a multiple of 4 */
  uint16_t channels;  /* of the input */
  uint16_t output_rows, output_columns, output_channels;
  uint16_t ring_pitch; /* int16 of a row in the ring */
  uint8_t pad_top, pad_left;
  int8_t input_zero_point, output_zero_point;
} te_conv_winograd_params;

/* scratch  in this order: 4 rows of ring_pitch int16, 64 * channels int16 of points, 128 int32 of sums;
 *          aligned to 4 bytes, as are input and output */
void te_conv_2d_winograd(const te_conv_winograd_params *p, const int8_t *input, int8_t *output, void *scratch);

#endif
