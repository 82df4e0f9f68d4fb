/* SPDX-License-Identifier: Apache-2.0 */
/* Average pooling, int8, with Helium: eight channels at a time. Cells outside the input are not counted. */
#ifndef TE_AVERAGE_POOL_2D_MVE_H
#define TE_AVERAGE_POOL_2D_MVE_H

#include "te_average_pool_2d_s8.h"

/* Windows have at most 256 cells, so that sums have 16 bits.
 *
 * input   [input_h][input_w][channels]
 * output  [output_h][output_w][channels] */
void te_average_pool_2d_mve(const te_average_pool_2d_params *p, const int8_t *input, int8_t *output);

#endif
