/* SPDX-License-Identifier: Apache-2.0 */
/* An image of another height and width, whose cells are copies. */
#ifndef TE_RESIZE_NEAREST_H
#define TE_RESIZE_NEAREST_H

#include <stdint.h>

typedef struct {
  uint16_t batches;
  uint16_t output_h;
  uint16_t output_w;
  uint32_t image_bytes;    /* of one input image */
  uint32_t row_bytes;      /* of one of its rows */
  uint32_t cell_bytes;     /* all channels of a cell */
  const uint16_t *rows;    /* [output_h]: of the input */
  const uint16_t *columns; /* [output_w] */
} te_resize_nearest_params;

/* The output may overlap the input from below, as far as writing upwards spares what is yet to be read. */
void te_resize_nearest(const te_resize_nearest_params *p, const void *input, void *output);

#endif
