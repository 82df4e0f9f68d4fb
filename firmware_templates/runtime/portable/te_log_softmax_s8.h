/* SPDX-License-Identifier: Apache-2.0 */
/* Logarithm of the softmax over rows, int8 in, int8 out with scale 1/16 and zero point 127; 32-bit fixed point. */
#ifndef TE_LOG_SOFTMAX_S8_H
#define TE_LOG_SOFTMAX_S8_H

#include <stdint.h>

typedef struct {
  uint32_t rows;
  uint16_t depth;              /* values in a row, at most 4095 */
  uint16_t exponential_count;  /* beyond it they are 0 */
  const int32_t *exponentials; /* of the differences 0, -1, ... to the row's maximum, Q12.19 */
  int32_t multiplier;          /* input scale * 2^26 as multiplier and left shift */
  int32_t reverse_multiplier;  /* and the way back */
  int16_t diff_min;            /* differences below this are the lowest output; not positive */
  int8_t left_shift;           /* in [2, 31] */
  int8_t reverse_shift;        /* in [-31, 0] */
} te_log_softmax_params;

/* input, output  [rows][depth]; may be the same memory */
void te_log_softmax_s8(const te_log_softmax_params *p, const int8_t *input, int8_t *output);

#endif
