/* SPDX-License-Identifier: Apache-2.0 */
/* Average pooling, int8; cells outside the input are not counted, halves are rounded away from zero. */
#ifndef TE_AVERAGE_POOL_2D_S8_H
#define TE_AVERAGE_POOL_2D_S8_H

#include <stdint.h>

#include "te_window.h"

typedef struct {
  te_window window; /* every window has a cell inside the input; at most 2^23 cells; dilation 1 */
  uint16_t channels;
  int8_t activation_min;
  int8_t activation_max;
} te_average_pool_2d_params;

/* input   [input_h][input_w][channels]
 * output  [output_h][output_w][channels] */
void te_average_pool_2d_s8(const te_average_pool_2d_params *p, const int8_t *input, int8_t *output);

#endif
