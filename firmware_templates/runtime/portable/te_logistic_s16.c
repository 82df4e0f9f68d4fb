/* SPDX-License-Identifier: Apache-2.0 */
#include "te_logistic_s16.h"

static int16_t logistic(const te_sigmoid_params *p, int16_t element) {
  const int32_t x = te_sigmoid_argument(p, element);
  const uint32_t magnitude = (uint32_t)(x < 0 ? -x : x);
  int32_t y = 0x7FFF << 10; /* 25 fractional bits */
  if (magnitude >> 9 < 255) {
    y = te_sigmoid_between(p, magnitude, 9);
  }
  y = x < 0 ? (1 << 25) - y - 1 : y;
  return (int16_t)((y + (1 << 9)) >> 10);
}

void te_logistic_s16(const te_sigmoid_params *p, const int16_t *input, int16_t *output) {
  for (uint32_t i = 0; i < p->elements; i++) {
    output[i] = logistic(p, input[i]);
  }
}
