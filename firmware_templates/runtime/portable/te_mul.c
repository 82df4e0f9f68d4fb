/* SPDX-License-Identifier: Apache-2.0 */
#include "te_mul.h"

static int32_t product(const te_mul_params *p, int32_t x, int32_t y) {
  return te_to_output(&p->output, (x - p->zero_points[0]) * (y - p->zero_points[1]));
}

TE_ELEMENTWISE(te_mul_s8, te_mul_params, int8_t, int8_t, product(p, x, y))
TE_ELEMENTWISE(te_mul_s16, te_mul_params, int16_t, int16_t, product(p, x, y))
