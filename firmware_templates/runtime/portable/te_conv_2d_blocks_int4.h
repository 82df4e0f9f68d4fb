/* SPDX-License-Identifier: Apache-2.0 */
/* 2-D convolution, int8 with weights of int4, four output channels by two pixels at a time. */
#ifndef TE_CONV_2D_BLOCKS_INT4_H
#define TE_CONV_2D_BLOCKS_INT4_H

#include "te_conv_2d_blocks.h"

/* weights of p, aligned to a word: [blocks][taps / 4][2] words of te_int4_lanes.h, the channels of a block in order
 *
 * input    [input_h][input_w][input_channels]
 * output   [output_h][output_w][output_channels], four channels or more
 * scratch  2 * gathered_bytes + ring.rows * ring.pitch bytes, any alignment */
void te_conv_2d_blocks_int4(const te_conv_2d_blocks_params *p, const int8_t *input, int8_t *output, void *scratch);

#endif
