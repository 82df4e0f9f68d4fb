/* Fully connected layer, int8: one matrix times each row of the input. */
#ifndef TE_FULLY_CONNECTED_S8_H
#define TE_FULLY_CONNECTED_S8_H

#include <stdint.h>

#include "te_filters_s8.h"

typedef struct {
  uint16_t batches; /* rows of the input */
  uint16_t outputs;
  int8_t weight_zero_point;
  te_filters filters; /* [outputs], taps: the inputs; where the bias sums weights, it sums weight - weight_zero_point */
} te_fully_connected_params;

/* input   [batches][inputs]
 * output  [batches][outputs] */
void te_fully_connected_s8(const te_fully_connected_params *p, const int8_t *input, int8_t *output);

#endif
