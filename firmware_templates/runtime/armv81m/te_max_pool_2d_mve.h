/* SPDX-License-Identifier: Apache-2.0 */
/* Max pooling, int8, with Helium: sixteen channels at a time. Cells outside the input are not looked at. */
#ifndef TE_MAX_POOL_2D_MVE_H
#define TE_MAX_POOL_2D_MVE_H

#include "te_max_pool_2d_s8.h"

/* input   [input_h][input_w][channels]
 * output  [output_h][output_w][channels] */
void te_max_pool_2d_mve(const te_max_pool_2d_params *p, const int8_t *input, int8_t *output);

#endif
