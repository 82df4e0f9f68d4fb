/* SPDX-License-Identifier: Apache-2.0 */
/* Average pooling, int16; cells outside the input are not counted, halves are rounded away from zero. */
#ifndef TE_AVERAGE_POOL_2D_S16_H
#define TE_AVERAGE_POOL_2D_S16_H

#include "te_pool_2d_s16.h"

/* input   [input_h][input_w][channels]
 * output  [output_h][output_w][channels] */
void te_average_pool_2d_s16(const te_pool_2d_s16_params *p, const int16_t *input, int16_t *output);

#endif
