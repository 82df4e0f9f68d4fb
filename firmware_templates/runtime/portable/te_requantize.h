/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed-point rescaling as TensorFlow Lite Micro does it: two roundings, exact to the last bit.
 *
 * A real factor is multiplier * 2^(shift - 31), multiplier in [0, 2^31 - 1], shift in [-31, 30], positive: left.
 * Left shifts that leave int32 wrap, as they do in the interpreter on common machines. Right shifts of negative numbers
 * are taken to be arithmetic and conversions to int32_t to be modulo 2^32, which gcc and clang promise. */
#ifndef TE_REQUANTIZE_H
#define TE_REQUANTIZE_H

#include <stdint.h>

/* a * b / 2^31 to the nearest integer, ties towards plus infinity. Not both may be INT32_MIN.
 * This is gemmlowp's SaturatingRoundingDoublingHighMul: its nudge and its division towards zero add up to a floor. */
static inline int32_t te_high_mul(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + (INT64_C(1) << 30)) >> 31);
}

/* x / 2^exponent to the nearest integer, ties away from zero; exponent in [0, 31], x above INT32_MIN and, when
 * exponent is 1, below INT32_MAX. Lowering negative x by one turns its ties downwards; halving in two steps keeps the
 * rounding constant from overflowing. */
static inline int32_t te_round_shift(int32_t x, int32_t exponent) {
  if (exponent == 0) {
    return x;
  }
  return (((x - (x < 0)) >> (exponent - 1)) + 1) >> 1;
}

/* x times the real factor of (multiplier, shift). Right shifts are the rule, and made the straight path. */
static inline int32_t te_requantize(int32_t x, int32_t multiplier, int32_t shift) {
  if (__builtin_expect(shift >= 0, 0)) {
    return te_high_mul((int32_t)((uint32_t)x << shift), multiplier);
  }
  const int32_t product = te_high_mul(x, multiplier);
  return (((product - (product < 0)) >> (-1 - shift)) + 1) >> 1; /* te_round_shift(product, -shift) */
}

/* x kept within [min, max], both of them int8. */
static inline int8_t te_clamp_s8(int32_t x, int32_t min, int32_t max) {
  x = x < min ? min : x;
  return (int8_t)(x > max ? max : x);
}

/* x kept within [min, max], both of them int16. */
static inline int16_t te_clamp_s16(int32_t x, int32_t min, int32_t max) {
  x = x < min ? min : x;
  return (int16_t)(x > max ? max : x);
}

/* The usual end of a layer: rescale, add the zero point, clamp. The order here cannot overflow. */
static inline int8_t te_output_s8(int32_t sum, int32_t multiplier, int32_t shift, int32_t zero_point, int32_t min,
                                  int32_t max) {
  const int32_t low = min - zero_point;
  const int32_t high = max - zero_point;
  int32_t x = te_requantize(sum, multiplier, shift);
  x = x < low ? low : x;
  x = x > high ? high : x;
  return (int8_t)(x + zero_point);
}

#endif
