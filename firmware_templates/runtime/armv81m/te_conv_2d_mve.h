/* SPDX-License-Identifier: Apache-2.0 */
/* 2-D convolution, int8, with Helium: the way through the image.
 *
 * The arithmetic is in a function emitted for the layer (te_conv_mve_run), which does a row of output pixels. It reads
 * their windows in place; or from the last rows of input, kept with their border; or gathered from these into columns,
 * one run of whole vectors for each pixel.
 */
#ifndef TE_CONV_2D_MVE_H
#define TE_CONV_2D_MVE_H

#include <stdint.h>

/* window  of the first pixel
 * count   of pixels, or of pairs of them */
typedef void (*te_conv_mve_run)(const int8_t *window, const int8_t *weights, int8_t *output, uint32_t count);

typedef struct {
  te_conv_mve_run run;
  const int8_t *weights;
  uint32_t rows, width; /* of the output; an image whose windows are single pixels may be one long row */
  uint32_t window_bytes;
  uint32_t kernel_row_bytes; /* from a row of the kernel to the next one in the window */
  uint16_t tile_pixels;      /* 1, or 2: `run` counts pairs */
  uint16_t step;             /* bytes from a pixel's window, or column, to that of its right neighbour */
  uint16_t output_channels;
  uint16_t input_rows;
  uint16_t row_bytes; /* of the input */
  uint16_t stride_h, pad_top;
  uint16_t window_rows;  /* rows of input that are kept; 0: the input is read in place */
  uint16_t pitch;        /* bytes of one of them */
  uint16_t left_bytes;   /* of border in front of the input's row in it */
  uint16_t column_bytes; /* of a gathered window; 0: windows are not gathered */
  uint16_t kernel_rows;
  uint16_t runs, run_bytes; /* of a row of the kernel */
  uint16_t run_step;        /* bytes from one to the next */
  uint16_t pixel_step;      /* bytes from a pixel's window to that of its right neighbour in the input */
  int8_t input_zero_point;
} te_conv_mve_params;

/* scratch  window_bytes for the rows, then columns with 16 bytes behind them; aligned to 4 bytes, as are input and
 *          output */
void te_conv_2d_mve(const te_conv_mve_params *p, const int8_t *input, int8_t *output, void *scratch);

#endif
