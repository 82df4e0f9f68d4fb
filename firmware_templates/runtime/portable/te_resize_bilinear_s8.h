/* SPDX-License-Identifier: Apache-2.0 */
/* An int8 image of another height and width, each cell interpolated between four. */
#ifndef TE_RESIZE_BILINEAR_S8_H
#define TE_RESIZE_BILINEAR_S8_H

#include <stdint.h>

/* Output i lies at i * scale + offset of the input, in 1024ths of a cell; never behind the last cell. */
typedef struct {
  int32_t input;
  int32_t output;
  int32_t scale;
  int32_t offset; /* may be negative, above -512 */
} te_bilinear_axis;

typedef struct {
  te_bilinear_axis rows;
  te_bilinear_axis columns;
  int32_t batches;
  int32_t channels;
} te_resize_bilinear_params;

/* The output may overlap the input from below, as far as writing upwards spares what is yet to be read. */
void te_resize_bilinear_s8(const te_resize_bilinear_params *p, const int8_t *input, int8_t *output);

#endif
