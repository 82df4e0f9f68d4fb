/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of one int16 value that are straight on either side of zero: relu, leaky_relu, abs, ... */
#ifndef TE_PIECEWISE_S16_H
#define TE_PIECEWISE_S16_H

#include <stdint.h>

/* One side of zero: values are rescaled by (multiplier, shift). */
typedef struct {
  int32_t multiplier;
  int8_t shift; /* in [-31, 30] */
} te_piece;

typedef struct {
  uint32_t elements;
  te_piece above; /* of values from 0 on */
  te_piece below;
  int8_t sign_before; /* 1 or -1: what values below 0 are multiplied by before they are rescaled, */
  int8_t sign_after;  /* and after that */
  int16_t min;
  int16_t max;
} te_piecewise_s16_params;

/* Output may be the same memory as input. */
void te_piecewise_s16(const te_piecewise_s16_params *p, const int16_t *input, int16_t *output);

#endif
