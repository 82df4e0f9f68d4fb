/* SPDX-License-Identifier: Apache-2.0 */
#include "te_arg_extremum_s8.h"

/* Flipping all bits turns the order round. */
static int32_t first_of_largest(const te_arg_extremum_params *p, const int8_t *x) {
  const int32_t flip = p->flip;
  int32_t largest = *x ^ flip;
  uint32_t at = 0;
  for (uint32_t i = 1; i < p->size; i++) {
    x += p->inner;
    const int32_t value = *x ^ flip;
    if (value > largest) {
      largest = value;
      at = i;
    }
  }
  return (int32_t)at;
}

void te_arg_extremum_s8(const te_arg_extremum_params *p, const int8_t *input, int32_t *output) {
  for (uint32_t i = p->outer; i > 0; i--) {
    for (uint32_t j = 0; j < p->inner; j++) {
      *output++ = first_of_largest(p, input + j);
    }
    input += p->size * p->inner;
  }
}
