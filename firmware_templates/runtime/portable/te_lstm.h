/* SPDX-License-Identifier: Apache-2.0 */
/* What LSTMs of int8 and of int16 share. */
#ifndef TE_LSTM_H
#define TE_LSTM_H

#include <stdint.h>

/* A real factor: multiplier * 2^(shift - 31). */
typedef struct {
  int32_t multiplier;
  int32_t shift; /* in [-31, 30] */
} te_lstm_factor;

/* The order of gates. */
enum { TE_LSTM_INPUT, TE_LSTM_FORGET, TE_LSTM_CELL, TE_LSTM_OUTPUT };

#endif
