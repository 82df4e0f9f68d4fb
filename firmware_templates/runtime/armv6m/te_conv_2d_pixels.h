/* SPDX-License-Identifier: Apache-2.0 */
/* 2-D convolution, int8, for cores whose multiplier gives 32 bits: the way through the image.
 *
 * Output pixels are taken in their order, a group of two or four at a time, round the ends of rows. The windows of a
 * group are gathered as words of two pixels each, x0 + x1 * 65536, by `pack`; `run`, emitted for the layer, computes
 * all channels of the group from them. Where windows reach outside the input, the rows that they see are kept in a
 * ring with their border.
 */
#ifndef TE_CONV_2D_PIXELS_H
#define TE_CONV_2D_PIXELS_H

#include <stdint.h>

enum { TE_CONV_2D_PIXELS = 4 };

/* A group of pixels. The emitted functions know the offsets of the members; te_model_kernels.h checks them. */
typedef struct {
  const int32_t *panel;
  const uint32_t *scales;
  uint32_t channels;
  int8_t *outputs[TE_CONV_2D_PIXELS]; /* the same one again where pixels are missing */
  const uint8_t *weights;
} te_conv_2d_group;

typedef void (*te_conv_2d_run)(const te_conv_2d_group *group);
typedef int32_t *(*te_conv_2d_pack)(const int8_t *const *pixels, int32_t *to, uint32_t count);

typedef struct {
  te_conv_2d_run run;
  te_conv_2d_pack pack;
  const uint8_t *weights;
  const uint32_t *scales;
  uint32_t pixels; /* of the output */
  uint32_t panel_words;
  uint16_t width; /* of the output */
  uint16_t output_channels;
  uint16_t input_rows;
  uint16_t row_bytes; /* of the input */
  uint16_t step;      /* bytes from a pixel's window to that of its right neighbour */
  uint16_t kernel_rows, segments_per_row, segment_bytes;
  uint16_t tap_bytes;   /* from a segment to the next in its row */
  uint16_t window_rows; /* rows that a window reaches over */
  uint16_t stride_h, dilation_h;
  uint16_t pad_top;
  uint16_t ring_rows;  /* 0: the input is read in place */
  uint16_t ring_pitch; /* bytes of a row in the ring */
  uint16_t ring_left;  /* bytes of border in front of the input's row in it */
  uint8_t at_once;     /* pixels of a group */
  int8_t input_zero_point;
} te_conv_2d_pixels_params;

/* scratch  panel_words words, then ring_rows * ring_pitch bytes; aligned to 4 bytes */
void te_conv_2d_pixels(const te_conv_2d_pixels_params *p, const int8_t *input, int8_t *output, void *scratch);

#endif
