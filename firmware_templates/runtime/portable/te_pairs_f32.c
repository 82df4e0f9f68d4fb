/* SPDX-License-Identifier: Apache-2.0 */
#include "te_pairs_f32.h"

static inline float clamp(const te_pairs_f32_params *p, float value) {
  const float raised = value < p->min ? p->min : value;
  return raised > p->max ? p->max : raised;
}

TE_ELEMENTWISE(te_pairs_f32_add, te_pairs_f32_params, float, float, clamp(p, x + y))
TE_ELEMENTWISE(te_pairs_f32_sub, te_pairs_f32_params, float, float, clamp(p, x - y))
TE_ELEMENTWISE(te_pairs_f32_mul, te_pairs_f32_params, float, float, clamp(p, x *y))
TE_ELEMENTWISE(te_pairs_f32_div, te_pairs_f32_params, float, float, clamp(p, x / y))
TE_ELEMENTWISE(te_pairs_f32_maximum, te_pairs_f32_params, float, float, x > y ? x : y)
TE_ELEMENTWISE(te_pairs_f32_minimum, te_pairs_f32_params, float, float, x < y ? x : y)
TE_ELEMENTWISE(te_pairs_f32_squared_difference, te_pairs_f32_params, float, float, (x - y) * (x - y))
TE_ELEMENTWISE(te_pairs_f32_prelu, te_pairs_f32_params, float, float, x >= 0.0f ? x : x * y)

TE_ELEMENTWISE(te_pairs_f32_equal, te_pairs_f32_params, float, bool, x == y)
TE_ELEMENTWISE(te_pairs_f32_greater, te_pairs_f32_params, float, bool, x > y)
TE_ELEMENTWISE(te_pairs_f32_greater_equal, te_pairs_f32_params, float, bool, x >= y)
TE_ELEMENTWISE(te_pairs_f32_less, te_pairs_f32_params, float, bool, x < y)
TE_ELEMENTWISE(te_pairs_f32_less_equal, te_pairs_f32_params, float, bool, x <= y)
TE_ELEMENTWISE(te_pairs_f32_not_equal, te_pairs_f32_params, float, bool, x != y)
