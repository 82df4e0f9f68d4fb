/* SPDX-License-Identifier: Apache-2.0 */
/* Fully connected layer of int8, four outputs at a time, for cores without DSP instructions. */
#ifndef TE_FULLY_CONNECTED_BLOCKS_H
#define TE_FULLY_CONNECTED_BLOCKS_H

#include <stdint.h>

#include "te_requantize_short.h"

typedef struct {
  uint16_t batches;   /* rows of the input */
  uint16_t inputs;    /* a multiple of 4 */
  uint16_t outputs;   /* 4 or more */
  uint8_t per_output; /* 1: a multiplier and shift for each output; 0: one of each for all */
  te_output_range range;
  const int8_t *weights; /* [blocks][inputs][4]; the last block overlaps the one before if they do not come out even */
  const int32_t *bias;   /* [outputs], less the input's zero point times the sum of the weights */
  const int32_t *multiplier;
  const uint8_t *shift; /* as te_short_output_s8 takes it */
} te_fully_connected_blocks_params;

/* input   [batches][inputs]
 * output  [batches][outputs] */
void te_fully_connected_blocks(const te_fully_connected_blocks_params *p, const int8_t *input, int8_t *output);

#endif
