/* SPDX-License-Identifier: Apache-2.0 */
/* Operands that are brought to a common scale before they are combined. */
#ifndef TE_SCALED_H
#define TE_SCALED_H

#include "te_requantize.h"

/* Its value is (element - zero_point) * 2^left_shift, rescaled by (multiplier, shift). */
typedef struct {
  int32_t multiplier;
  int8_t zero_point;
  int8_t shift; /* in [-31, 0] */
} te_scaled_operand;

/* left_shift at most 20 for int8, 15 for int16 elements, whose zero point is 0. */
static inline int32_t te_scaled(const te_scaled_operand *operand, int32_t element, int32_t left_shift) {
  const int32_t shifted = (element - operand->zero_point) * (1 << left_shift);
  return te_round_shift(te_high_mul(shifted, operand->multiplier), -operand->shift);
}

/* How a result is rescaled: by (multiplier, shift), then zero_point is added, then it is clamped. */
typedef struct {
  int32_t multiplier;
  int16_t min;
  int16_t max;
  int8_t zero_point;
  int8_t shift; /* in [-31, 30] */
} te_scaled_output;

/* The order here cannot overflow. */
static inline int32_t te_to_output(const te_scaled_output *output, int32_t x) {
  const int32_t low = output->min - output->zero_point;
  const int32_t high = output->max - output->zero_point;
  x = te_requantize(x, output->multiplier, output->shift);
  x = x < low ? low : x;
  return (x > high ? high : x) + output->zero_point;
}

#endif
