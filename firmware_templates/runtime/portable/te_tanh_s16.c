/* SPDX-License-Identifier: Apache-2.0 */
#include "te_tanh_s16.h"

/* tanh(x) = 2 * logistic(2 * x) - 1: the table is read with one fractional bit less. */
static int16_t hyperbolic_tangent(const te_sigmoid_params *p, int16_t element) {
  const int32_t x = te_sigmoid_argument(p, element);
  const uint32_t magnitude = (uint32_t)(x < 0 ? -x : x);
  int32_t y = 0xFFFF << 8; /* 24 fractional bits of the logistic function */
  if (magnitude >> 8 < 255) {
    y = te_sigmoid_between(p, magnitude, 8);
  }
  y -= 1 << 23;
  return (int16_t)((x < 0 ? (1 << 7) - 1 - y : y + (1 << 7)) >> 8);
}

void te_tanh_s16(const te_sigmoid_params *p, const int16_t *input, int16_t *output) {
  for (uint32_t i = 0; i < p->elements; i++) {
    output[i] = hyperbolic_tangent(p, input[i]);
  }
}
