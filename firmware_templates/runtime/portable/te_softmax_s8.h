/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax over rows, int8 in, int8 out with scale 1/256 and zero point -128; gemmlowp's 32-bit fixed point. */
#ifndef TE_SOFTMAX_S8_H
#define TE_SOFTMAX_S8_H

#include <stdint.h>

typedef struct {
  uint16_t rows;
  uint16_t depth;     /* values in a row, at most 4095 */
  int32_t multiplier; /* beta * input scale * 2^26 as multiplier and left shift */
  int8_t left_shift;  /* in [0, 31] */
  int16_t diff_min;   /* differences to the row's maximum below this count as nothing; not positive */
} te_softmax_params;

/* input, output  [rows][depth]; may be the same memory */
void te_softmax_s8(const te_softmax_params *p, const int8_t *input, int8_t *output);

#endif
