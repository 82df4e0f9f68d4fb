/* SPDX-License-Identifier: Apache-2.0 */
/* 2-D convolution, int8, four output channels by two pixels at a time. */
#ifndef TE_CONV_2D_BLOCKS_4X2_H
#define TE_CONV_2D_BLOCKS_4X2_H

#include "te_conv_2d_blocks.h"

/* input    [input_h][input_w][input_channels]
 * output   [output_h][output_w][output_channels], four channels or more
 * scratch  2 * gathered_bytes + ring.rows * ring.pitch bytes, any alignment */
void te_conv_2d_blocks_4x2(const te_conv_2d_blocks_params *p, const int8_t *input, int8_t *output, void *scratch);

#endif
