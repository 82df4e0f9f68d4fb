/* SPDX-License-Identifier: Apache-2.0 */
/* Max pooling, int8; cells outside the input are not looked at. */
#ifndef TE_MAX_POOL_2D_S8_H
#define TE_MAX_POOL_2D_S8_H

#include <stdint.h>

#include "te_window.h"

typedef struct {
  te_window window; /* dilation 1; a window wholly outside yields activation_min */
  uint16_t channels;
  int8_t activation_min;
  int8_t activation_max;
} te_max_pool_2d_params;

/* input   [input_h][input_w][channels]
 * output  [output_h][output_w][channels] */
void te_max_pool_2d_s8(const te_max_pool_2d_params *p, const int8_t *input, int8_t *output);

#endif
