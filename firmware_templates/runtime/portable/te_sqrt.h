/* SPDX-License-Identifier: Apache-2.0 */
/* The square root of a float32 in integers: the same bits on every core, and no C library. */
#ifndef TE_SQRT_H
#define TE_SQRT_H

#include <stdint.h>
#include <string.h>

#define TE_SQRT_INFINITY UINT32_C(0x7F800000)
#define TE_SQRT_NAN UINT32_C(0x7FC00000)

static inline float te_sqrt_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Rounded to nearest; not a number below zero; zero keeps its sign.
 *
 * x = m * 2^e with m of 24 bits and e even is sqrt(m) * 2^(e / 2). The root is found bit by bit, one bit more than the
 * result has; it never lies halfway between two results. */
static inline float te_sqrt(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  if (!(x > 0.0f)) {
    return x == 0.0f ? x : te_sqrt_of_bits(TE_SQRT_NAN);
  }
  if (bits >= TE_SQRT_INFINITY) {
    return x;
  }
  int32_t exponent = (int32_t)(bits >> 23);
  uint32_t mantissa = bits & UINT32_C(0x007FFFFF);
  if (exponent == 0) { /* a denormal number */
    exponent = 1;
    while ((mantissa >> 23) == 0) {
      mantissa <<= 1;
      exponent--;
    }
  }
  mantissa |= UINT32_C(0x00800000);
  exponent -= 127;
  if ((exponent & 1) != 0) {
    mantissa <<= 1;
    exponent--;
  }
  /* mantissa / 2^23 is in [1, 4): its root has one bit before the point. rest and root gain a bit each turn. */
  uint32_t root = 0;
  uint32_t doubled = 0;
  uint32_t rest = mantissa << 1;
  for (uint32_t bit = UINT32_C(1) << 24; bit != 0; bit >>= 1) {
    const uint32_t trial = doubled + bit;
    if (trial <= rest) {
      doubled = trial + bit;
      rest -= trial;
      root += bit;
    }
    rest <<= 1;
  }
  root = (root >> 1) + (root & 1);
  return te_sqrt_of_bits(((uint32_t)(exponent / 2 + 127) << 23) + (root - UINT32_C(0x00800000)));
}

#endif
