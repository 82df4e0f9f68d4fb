/* SPDX-License-Identifier: Apache-2.0 */
/* Fully connected layer of int8 with weights of int4, four outputs at a time. */
#ifndef TE_FULLY_CONNECTED_INT4_H
#define TE_FULLY_CONNECTED_INT4_H

#include "te_fully_connected_blocks.h"

/* weights of p, aligned to a word: [blocks][inputs / 4][2] words of te_int4_lanes.h, the outputs of a block in order
 *
 * input   [batches][inputs]
 * output  [batches][outputs] */
void te_fully_connected_int4(const te_fully_connected_blocks_params *p, const int8_t *input, int8_t *output);

#endif
