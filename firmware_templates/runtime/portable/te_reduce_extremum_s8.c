/* SPDX-License-Identifier: Apache-2.0 */
#include "te_reduce_extremum_s8.h"

/* Flipping all bits turns the order round, so the smallest is the flip of the largest flip. */
static int8_t extremum(const te_reduce_extremum_params *p, const int8_t *x) {
  const int32_t flip = p->flip;
  int32_t largest = INT8_MIN;
  for (uint32_t i = p->reduced[0].size; i > 0; i--) {
    const int8_t *cell = x;
    for (uint32_t j = p->reduced[1].size; j > 0; j--) {
      const int32_t value = *cell ^ flip;
      largest = value > largest ? value : largest;
      cell += p->reduced[1].step;
    }
    x += p->reduced[0].step;
  }
  return (int8_t)(largest ^ flip);
}

void te_reduce_extremum_s8(const te_reduce_extremum_params *p, const int8_t *input, int8_t *output) {
  for (uint32_t i = p->kept[0].size; i > 0; i--) {
    const int8_t *x = input;
    for (uint32_t j = p->kept[1].size; j > 0; j--) {
      *output++ = extremum(p, x);
      x += p->kept[1].step;
    }
    input += p->kept[0].step;
  }
}
