/* SPDX-License-Identifier: Apache-2.0 */
/* Fully connected layer, int16 with weights of int8, zero points 0: one matrix times each row of the input. */
#ifndef TE_FULLY_CONNECTED_S16_H
#define TE_FULLY_CONNECTED_S16_H

#include <stdint.h>

#include "te_filters_s16.h"

typedef struct {
  uint16_t batches; /* rows of the input */
  uint16_t outputs;
  te_filters_s16_params filters; /* [outputs], taps: the inputs */
} te_fully_connected_s16_params;

/* input   [batches][inputs]
 * output  [batches][outputs] */
void te_fully_connected_s16(const te_fully_connected_s16_params *p, const int16_t *input, int16_t *output);

#endif
