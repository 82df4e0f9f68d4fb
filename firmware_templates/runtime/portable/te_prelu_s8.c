/* SPDX-License-Identifier: Apache-2.0 */
#include "te_prelu_s8.h"

#include "te_requantize.h"

static int32_t prelu(const te_prelu_params *p, int32_t element, int32_t slope) {
  const int32_t x = element - p->input_zero_point;
  if (x >= 0) {
    return te_output_s8(x, p->multiplier, p->shift, p->output_zero_point, INT8_MIN, INT8_MAX);
  }
  return te_output_s8(x * (slope - p->slope_zero_point), p->slope_multiplier, p->slope_shift, p->output_zero_point,
                      INT8_MIN, INT8_MAX);
}

TE_ELEMENTWISE(te_prelu_s8, te_prelu_params, int8_t, int8_t, prelu(p, x, y))
