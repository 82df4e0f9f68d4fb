/* SPDX-License-Identifier: Apache-2.0 */
#include "te_div_s8.h"

#include "te_fixed_point.h"
#include "te_requantize.h"

/* Bits that equal the sign, besides it. */
static int32_t headroom_of(int32_t x) {
  return te_fixed_point_zeros((uint32_t)(x < 0 ? ~x : x)) - 1;
}

/* The dividend, shifted left as far as it goes, times the reciprocal of the divisor. */
static int32_t quotient(const te_div_params *p, int32_t element, int32_t divisor_element) {
  int32_t dividend = element - p->zero_points[0];
  int32_t divisor = divisor_element - p->zero_points[1];
  if (divisor == 0) {
    return dividend == 0 ? 0 : dividend > 0 ? 1 << 16 : -(1 << 16); /* saturates */
  }
  if (divisor < 0) {
    dividend = -dividend;
    divisor = -divisor;
  }
  const int32_t zeros = te_fixed_point_zeros((uint32_t)divisor);
  const int32_t reciprocal = te_fixed_point_reciprocal((int32_t)(((uint32_t)divisor << zeros) - (UINT32_C(1) << 31)));
  const int32_t headroom = headroom_of(dividend);
  const int32_t right_shift = headroom + 31 - zeros - p->shift;
  if (right_shift > 31) {
    return 0; /* less than half */
  }
  const int32_t raised = (int32_t)((uint32_t)dividend << headroom);
  return te_round_shift(te_high_mul(te_high_mul(raised, reciprocal), p->multiplier), right_shift);
}

static int32_t divide(const te_div_params *p, int32_t x, int32_t y) {
  return te_clamp_s8(quotient(p, x, y) + p->output_zero_point, p->activation_min, p->activation_max);
}

TE_ELEMENTWISE(te_div_s8, te_div_params, int8_t, int8_t, divide(p, x, y))
