/* SPDX-License-Identifier: Apache-2.0 */
/* 2-D convolution, int8, four output channels by two pixels at a time: the way through the image.
 *
 * A window is read as segments, each a run of bytes: the rows of the kernel, or all its taps if it is dilated. The
 * arithmetic is in a function emitted for the layer (te_conv_4x2_run), which does a row of output pixels and finds in
 * te_conv_4x2_row where each segment begins. Where windows reach outside the input, the rows that windows see are kept
 * in a ring with their border, so that reading them needs no care. A segment of no whole words is read to the end of
 * its last word: up to 3 bytes behind the input, which must be readable, whatever they hold.
 */
#ifndef TE_CONV_2D_4X2_H
#define TE_CONV_2D_4X2_H

#include <stdint.h>

/* One row of pixels. The emitted functions know the offsets of the members; te_model_kernels.h checks them. */
typedef struct {
  const int8_t **segments; /* of the next pixel */
  uint32_t segment_count;
  uint32_t step;          /* bytes from a pixel's segments to those of its right neighbour */
  uint32_t segment_words; /* bytes of a segment / 4, rounded up */
  int16_t *panel;         /* scratch: the windows of two pixels */
  int16_t *panel_end;
  int8_t *output;
  uint32_t output_step; /* bytes from a pixel's outputs to the next one's */
  uint32_t pairs;
  const uint8_t *weights;
  const uint8_t *weights_last; /* the last four channels if these overlap those before, else weights_end */
  const uint8_t *weights_end;
  uint32_t overlap;   /* by how many channels they overlap */
  int32_t zero_point; /* of the output */
} te_conv_4x2_row;

typedef void (*te_conv_4x2_run)(te_conv_4x2_row *row);

typedef struct {
  te_conv_4x2_run run;
  te_conv_4x2_run run_odd; /* the last pixel of rows of odd width; 0: `run`, as a pair of one pixel with itself */
  const uint8_t *weights;
  uint32_t weights_bytes;
  uint32_t group_bytes; /* of four channels */
  uint16_t rows, width; /* of the output; an image whose windows are single pixels may be one long row */
  uint16_t output_channels;
  uint16_t input_rows;
  uint16_t row_bytes; /* of the input */
  uint16_t step;      /* bytes from a pixel's window to that of its right neighbour */
  uint16_t kernel_rows, segments_per_row;
  uint16_t segment_words;
  uint16_t tap_bytes; /* from a segment to the next in its row */
  uint8_t stride_h, dilation_h;
  uint8_t pad_top;
  uint8_t ring_rows;   /* 0: the input is read in place */
  uint16_t ring_pitch; /* bytes of a row in the ring */
  uint16_t ring_left;  /* bytes of border in front of the input's row in it */
  int8_t input_zero_point, output_zero_point;
} te_conv_4x2_params;

/* scratch  in this order: 16 * segment_words * segments for the panel, 4 * segments, ring_rows * ring_pitch bytes;
 *          aligned to 4 bytes, as are input and output */
void te_conv_2d_4x2(const te_conv_4x2_params *p, const int8_t *input, int8_t *output, void *scratch);

#endif
