/* SPDX-License-Identifier: Apache-2.0 */
#include "te_piecewise_s16.h"

#include "te_requantize.h"

void te_piecewise_s16(const te_piecewise_s16_params *p, const int16_t *input, int16_t *output) {
  for (uint32_t i = 0; i < p->elements; i++) {
    int32_t x = input[i];
    if (x >= 0) {
      x = te_requantize(x, p->above.multiplier, p->above.shift);
    } else {
      x = te_requantize(x * p->sign_before, p->below.multiplier, p->below.shift) * p->sign_after;
    }
    output[i] = te_clamp_s16(x, p->min, p->max);
  }
}
