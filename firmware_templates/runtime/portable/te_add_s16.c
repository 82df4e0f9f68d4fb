/* SPDX-License-Identifier: Apache-2.0 */
#include "te_add_s16.h"

static int32_t add(const te_sum_params *p, int32_t x, int32_t y) {
  const int32_t left_shift = p->left_shift;
  return te_to_output(&p->output,
                      te_scaled(&p->operands[0], x, left_shift) + te_scaled(&p->operands[1], y, left_shift));
}

TE_ELEMENTWISE(te_add_s16, te_sum_params, int16_t, int16_t, add(p, x, y))
