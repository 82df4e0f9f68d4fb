/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax over rows, int16 in, int16 out with scale 1/32768 and zero point 0, by interpolating in two tables. */
#ifndef TE_SOFTMAX_S16_H
#define TE_SOFTMAX_S16_H

#include <stdint.h>

typedef struct {
  const int16_t *exponential; /* 513 values of exp from -10 to 0, Q0.15 */
  const int16_t *reciprocal;  /* 513 values of 1 / (1 + x) from 0 to 1, Q0.15 */
  uint32_t rows;
  uint16_t depth;     /* values in a row, at most 4095 */
  int8_t shift;       /* in [-31, 14] */
  int32_t multiplier; /* with shift: of differences to the row's maximum, to steps of 10/65535 */
} te_softmax_s16_params;

/* input, output  [rows][depth]; may be the same memory */
void te_softmax_s16(const te_softmax_s16_params *p, const int16_t *input, int16_t *output);

#endif
