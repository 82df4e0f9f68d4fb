/* SPDX-License-Identifier: Apache-2.0 */
#include "te_quantize_f32.h"

/* Far outside of int16 with any zero point, and small enough for float32 to be exact. */
#define TE_FAR 1048576.0f
#define TE_INT32_END 2147483648.0f

/* What is far outside; where it `wraps`, INT32_MIN in place of an integer that does not exist. */
static int32_t round_far(float x, bool wraps) {
  if (wraps && !(x > -TE_INT32_END && x < TE_INT32_END)) {
    return INT32_MIN;
  }
  return x >= TE_FAR ? (int32_t)TE_FAR : x <= -TE_FAR ? -(int32_t)TE_FAR : 0;
}

/* The nearest integer, halves away from zero; no C library needed. */
static int32_t round_half_away(float x, bool wraps) {
  if (!(x > -TE_FAR && x < TE_FAR)) {
    return round_far(x, wraps);
  }
  const int32_t whole = (int32_t)x;
  const float rest = x - (float)whole; /* exact */
  return whole + (rest >= 0.5f) - (rest <= -0.5f);
}

void te_quantize_f32(const te_quantize_f32_params *p, const float *input, void *output) {
  const int32_t lowest = te_lowest(p->output_type);
  const int32_t highest = te_highest(p->output_type);
  for (uint32_t i = 0; i < p->elements; i++) {
    const int32_t rounded = round_half_away(input[i] / p->scale, p->wraps);
    const int32_t value = (int32_t)((uint32_t)rounded + (uint32_t)p->zero_point);
    te_store(p->output_type, output, i, value < lowest ? lowest : value > highest ? highest : value);
  }
}
