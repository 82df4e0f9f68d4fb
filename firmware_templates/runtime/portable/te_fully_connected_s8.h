/* Fully connected layer, int8: one matrix times each row of the input. */
#ifndef TE_FULLY_CONNECTED_S8_H
#define TE_FULLY_CONNECTED_S8_H

#include <stdint.h>

typedef struct {
  uint16_t batches; /* rows of the input */
  uint16_t inputs;
  uint16_t outputs;
  uint8_t per_output; /* 1: a multiplier and shift for each output; 0: one of each for all */
  int8_t weight_zero_point;
  int8_t output_zero_point;
  int8_t activation_min;
  int8_t activation_max;
  const int8_t *weights; /* [outputs][inputs] */
  const int32_t *bias;   /* [outputs], less input zero point * sum over the row of (weight - weight_zero_point) */
  const int32_t *multiplier;
  const int8_t *shift; /* in [-31, 30] */
} te_fully_connected_params;

/* input   [batches][inputs]
 * output  [batches][outputs] */
void te_fully_connected_s8(const te_fully_connected_params *p, const int8_t *input, int8_t *output);

#endif
