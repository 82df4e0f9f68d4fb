/* SPDX-License-Identifier: Apache-2.0 */
/* te_conv_2d_blocks_4x2 with weights that are compressed in flash and unpacked into scratch before. */
#ifndef TE_CONV_2D_UNPACKED_H
#define TE_CONV_2D_UNPACKED_H

#include "te_conv_2d_blocks.h"
#include "te_unpack.h"

typedef struct {
  te_conv_2d_blocks_params conv; /* but for the weights */
  te_packed packed;
} te_conv_2d_unpacked_params;

/* scratch  packed.count bytes, then those of te_conv_2d_blocks_4x2; any alignment */
void te_conv_2d_unpacked(const te_conv_2d_unpacked_params *p, const int8_t *input, int8_t *output, void *scratch);

#endif
