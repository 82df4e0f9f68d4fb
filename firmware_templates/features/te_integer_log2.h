/* SPDX-License-Identifier: Apache-2.0 */
/* Logarithms and roots of whole numbers, in integers. */
#ifndef TE_INTEGER_LOG2_H
#define TE_INTEGER_LOG2_H

#include <stdint.h>

#define TE_LOG2_BITS 8

/* The logarithm to the base 2 of x > 0 in steps of 1 / 256, rounded down as far as 32 leading bits of x tell. */
static inline int32_t te_integer_log2(uint64_t x) {
  int32_t whole = 63;
  while ((x >> 63) == 0) {
    x <<= 1;
    --whole;
  }
  uint64_t mantissa = x >> 32; /* in [1, 2), with 31 bits behind the point: squared, a bit of the logarithm comes out */
  int32_t result = whole;
  for (int32_t bit = 0; bit < TE_LOG2_BITS; ++bit) {
    mantissa = (mantissa * mantissa) >> 31;
    const uint32_t doubled = (uint32_t)(mantissa >> 32) & 1u;
    mantissa >>= doubled;
    result = (int32_t)((uint32_t)result << 1 | doubled);
  }
  return result;
}

/* The largest whole number whose square is at most x. */
static inline uint32_t te_integer_sqrt(uint64_t x) {
  uint64_t root = 0;
  for (uint64_t bit = UINT64_C(1) << 62; bit != 0; bit >>= 2) {
    const uint64_t trial = root + bit;
    root >>= 1;
    if (x >= trial) {
      x -= trial;
      root += bit;
    }
  }
  return (uint32_t)root;
}

#endif
