/* SPDX-License-Identifier: Apache-2.0 */
#include "te_prelu_s16.h"

#include "te_requantize.h"

static int32_t prelu(const te_prelu_s16_params *p, int32_t x, int32_t slope) {
  if (x >= 0) {
    return te_requantize(x, p->multiplier, p->shift);
  }
  return te_requantize(x * (slope - p->slope_zero_point), p->slope_multiplier, p->slope_shift);
}

void te_prelu_s16(const te_prelu_s16_params *p, const int16_t *input, const int8_t *slope, int16_t *output) {
  te_walk walk = {{0}, {0}};
  do {
    const int16_t *a = input + walk.offsets[0];
    const int8_t *b = slope + walk.offsets[1];
    for (uint32_t left = p->shape.sizes[TE_BROADCAST_AXES - 1]; left > 0; left--) {
      *output++ = te_clamp_s16(prelu(p, *a, *b), INT16_MIN, INT16_MAX);
      a += p->shape.steps[0][TE_BROADCAST_AXES - 1];
      b += p->shape.steps[1][TE_BROADCAST_AXES - 1];
    }
  } while (te_broadcast_next(&p->shape, &walk));
}
