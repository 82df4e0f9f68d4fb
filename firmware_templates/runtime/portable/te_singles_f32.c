/* SPDX-License-Identifier: Apache-2.0 */
#include "te_singles_f32.h"

#include "te_sqrt.h"

/* From here on every float32 is a whole number. */
#define TE_WHOLE 8388608.0f

/* Defines the function `name`; `expression` is the result for the element `x`. */
#define TE_SINGLE(name, expression)                                                                                    \
  void name(const float *input, float *output, uint32_t elements) {                                                    \
    for (uint32_t i = 0; i < elements; i++) {                                                                          \
      const float x = input[i];                                                                                        \
      output[i] = (expression);                                                                                        \
    }                                                                                                                  \
  }

/* The sign of zero as x has it. */
static inline float signed_like(float x, float magnitude) {
  return x < 0.0f ? -magnitude : magnitude;
}

static inline float magnitude_of(float x) {
  return x < 0.0f ? -x : x;
}

/* Whole numbers, infinities and what is no number, which rounding leaves as they are; zero keeps its sign so. */
static inline int is_whole(float x) {
  return !(magnitude_of(x) < TE_WHOLE) || x == 0.0f;
}

static inline float truncated(float x) {
  return signed_like(x, (float)(int32_t)magnitude_of(x));
}

static inline float floor_of(float x) {
  if (is_whole(x)) {
    return x;
  }
  const float whole = truncated(x);
  return whole > x ? whole - 1.0f : whole;
}

/* Halves to even, by what is left above the whole number below: what rounds up to zero is not negative. */
static inline float nearest(float x) {
  if (is_whole(x)) {
    return x;
  }
  const float below = floor_of(x);
  const float rest = x - below;
  return rest > 0.5f || (rest == 0.5f && ((int32_t)below & 1) != 0) ? below + 1.0f : below;
}

static inline float above_zero(float x) {
  return x < 0.0f ? 0.0f : x;
}

static inline float hard_swish(float x) {
  const float raised = above_zero(x + 3.0f);
  return x * (raised > 6.0f ? 6.0f : raised) / 6.0f;
}

TE_SINGLE(te_singles_f32_abs, x <= 0.0f ? 0.0f - x : x)
TE_SINGLE(te_singles_f32_ceil, -floor_of(-x))
TE_SINGLE(te_singles_f32_floor, floor_of(x))
TE_SINGLE(te_singles_f32_hard_swish, hard_swish(x))
TE_SINGLE(te_singles_f32_neg, -x)
TE_SINGLE(te_singles_f32_relu, above_zero(x))
TE_SINGLE(te_singles_f32_relu6, x > 6.0f ? 6.0f : above_zero(x))
TE_SINGLE(te_singles_f32_round, nearest(x))
TE_SINGLE(te_singles_f32_rsqrt, 1.0f / te_sqrt(x))
TE_SINGLE(te_singles_f32_sqrt, te_sqrt(x))
TE_SINGLE(te_singles_f32_square, x *x)

void te_singles_f32_leaky_relu(float alpha, const float *input, float *output, uint32_t elements) {
  for (uint32_t i = 0; i < elements; i++) {
    const float x = input[i];
    output[i] = x > 0.0f ? x : x * alpha;
  }
}
