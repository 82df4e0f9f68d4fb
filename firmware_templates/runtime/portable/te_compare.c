/* SPDX-License-Identifier: Apache-2.0 */
#include "te_compare.h"

static bool holds(const te_compare_params *p, int32_t x, int32_t y) {
  return (p->when >> (1 + (x > y) - (x < y))) & 1;
}

static bool holds_scaled(const te_compare_params *p, int32_t x, int32_t y) {
  return holds(p, te_scaled(&p->operands[0], x, p->left_shift), te_scaled(&p->operands[1], y, p->left_shift));
}

TE_ELEMENTWISE(te_compare_s8, te_compare_params, int8_t, bool, holds_scaled(p, x, y))
TE_ELEMENTWISE(te_compare_s32, te_compare_params, int32_t, bool, holds(p, x, y))
TE_ELEMENTWISE(te_compare_bool, te_compare_params, bool, bool, holds(p, x, y))
