/* SPDX-License-Identifier: Apache-2.0 */
/* A sequence through an LSTM, int16 with an int16 cell and sums of int64. */
#ifndef TE_LSTM_S16_H
#define TE_LSTM_S16_H

#include <stdint.h>

#include "te_lstm.h"

/* A real factor of a sum: multiplier / 2^right. */
typedef struct {
  int32_t multiplier; /* in [0, 32767] */
  uint32_t right;     /* in [8, 46] */
} te_lstm_short_factor;

typedef struct {
  const int8_t *weights;     /* [units][inputs] */
  const int8_t *recurrent;   /* [units][units] */
  const int64_t *bias;       /* [units] */
  te_lstm_short_factor own;  /* of weights * input + bias */
  te_lstm_short_factor past; /* of recurrent * hidden state */
} te_lstm_gate_s16;

typedef struct {
  te_lstm_gate_s16 gates[4];
  te_lstm_factor cell_factor;   /* of forget gate * cell */
  te_lstm_factor update_factor; /* of input gate * cell gate */
  te_lstm_factor hidden_factor; /* of output gate * tanh(cell) */
  uint16_t batches;
  uint16_t steps;
  uint16_t inputs;
  uint16_t units;
  uint8_t tanh_shift; /* tanh(cell) by te_tanh_s16 */
  uint8_t time_major; /* 1: [steps][batches], 0: [batches][steps] */
  int32_t tanh_multiplier;
  int32_t cell_clip;        /* limit of the cell's magnitude; -1: none */
  const uint16_t *sigmoids; /* [256], see te_gates_s16.h */
} te_lstm_s16_params;

/* input   [batches][steps][inputs]
 * hidden  [batches][units], and
 * cell    [batches][units]: the states, which go on
 * output  [batches][steps][units], apart from all of them
 * Sums stay within 2^47 whatever input and hidden state are. */
void te_lstm_s16(const te_lstm_s16_params *p, const int16_t *input, int16_t *hidden, int16_t *cell, int16_t *output);

#endif
