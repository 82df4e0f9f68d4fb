/* SPDX-License-Identifier: Apache-2.0 */
#include "te_squared_difference.h"

static int32_t squared_difference(const te_squared_difference_params *p, int32_t x, int32_t y) {
  const int32_t left_shift = p->left_shift;
  const int32_t difference = te_scaled(&p->operands[0], x, left_shift) - te_scaled(&p->operands[1], y, left_shift);
  return te_to_output(&p->output, difference * difference);
}

TE_ELEMENTWISE(te_squared_difference_s8, te_squared_difference_params, int8_t, int8_t, squared_difference(p, x, y))
TE_ELEMENTWISE(te_squared_difference_s16, te_squared_difference_params, int16_t, int16_t, squared_difference(p, x, y))
