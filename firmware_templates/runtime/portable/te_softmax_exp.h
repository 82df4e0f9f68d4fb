/* SPDX-License-Identifier: Apache-2.0 */
/* The exponential of the 32-bit fixed point softmax: gemmlowp's. */
#ifndef TE_SOFTMAX_EXP_H
#define TE_SOFTMAX_EXP_H

#include <stdint.h>

#include "te_requantize.h"

/* Qm.n below: m integer and n fractional bits besides the sign. */

/* exp(x) in Q0.31 for x in [-1/4, 0), Q0.31: Taylor's series around -1/8 up to the fourth power. */
static int32_t te_exp_quarter(int32_t x) {
  const int32_t exp_minus_eighth = 1895147668;
  const int32_t third = 715827883;
  const int32_t d = x + (1 << 28);
  const int32_t d2 = te_high_mul(d, d);
  const int32_t d3 = te_high_mul(d2, d);
  const int32_t d4 = te_high_mul(d2, d2);
  const int32_t tail = te_high_mul(te_round_shift(d4, 2) + d3, third) + d2; /* d^4/12 + d^3/3 + d^2 */
  return exp_minus_eighth + te_high_mul(exp_minus_eighth, d + te_round_shift(tail, 1));
}

/* exp(x) in Q0.31 for x <= 0 in Q5.26: a quarter's fraction by the series, the rest as a product of powers of e. */
static int32_t te_exp_negative(int32_t x) {
  static const int32_t powers[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  const int32_t quarter = 1 << 24;
  if (x == 0) {
    return INT32_MAX;
  }
  const int32_t fraction = (x & (quarter - 1)) - quarter;
  uint32_t quarters = ((uint32_t)fraction - (uint32_t)x) >> 24;
  int32_t result = te_exp_quarter((int32_t)((uint32_t)fraction << 5));
  for (int32_t i = 0; i < 7; i++) { /* e^-1/4, e^-1/2, ... e^-16 */
    if (quarters & 1U) {
      result = te_high_mul(result, powers[i]);
    }
    quarters >>= 1;
  }
  return result;
}

#endif
