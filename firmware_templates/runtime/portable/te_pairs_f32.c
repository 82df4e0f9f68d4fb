/* SPDX-License-Identifier: Apache-2.0 */
#include "te_pairs_f32.h"

static inline float clamp(const te_pairs_f32_params *p, float value) {
  const float raised = value < p->min ? p->min : value;
  return raised > p->max ? p->max : raised;
}

TE_ELEMENTWISE(te_add_f32, te_pairs_f32_params, float, float, clamp(p, x + y))
TE_ELEMENTWISE(te_sub_f32, te_pairs_f32_params, float, float, clamp(p, x - y))
TE_ELEMENTWISE(te_mul_f32, te_pairs_f32_params, float, float, clamp(p, x *y))
TE_ELEMENTWISE(te_div_f32, te_pairs_f32_params, float, float, clamp(p, x / y))
TE_ELEMENTWISE(te_maximum_f32, te_pairs_f32_params, float, float, x > y ? x : y)
TE_ELEMENTWISE(te_minimum_f32, te_pairs_f32_params, float, float, x < y ? x : y)
TE_ELEMENTWISE(te_squared_difference_f32, te_pairs_f32_params, float, float, (x - y) * (x - y))
TE_ELEMENTWISE(te_prelu_f32, te_pairs_f32_params, float, float, x >= 0.0f ? x : x * y)

TE_ELEMENTWISE(te_equal_f32, te_pairs_f32_params, float, bool, x == y)
TE_ELEMENTWISE(te_greater_f32, te_pairs_f32_params, float, bool, x > y)
TE_ELEMENTWISE(te_greater_equal_f32, te_pairs_f32_params, float, bool, x >= y)
TE_ELEMENTWISE(te_less_f32, te_pairs_f32_params, float, bool, x < y)
TE_ELEMENTWISE(te_less_equal_f32, te_pairs_f32_params, float, bool, x <= y)
TE_ELEMENTWISE(te_not_equal_f32, te_pairs_f32_params, float, bool, x != y)
