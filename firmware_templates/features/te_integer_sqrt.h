/* SPDX-License-Identifier: Apache-2.0 */
/* Square roots of whole numbers, in integers. */
#ifndef TE_INTEGER_SQRT_H
#define TE_INTEGER_SQRT_H

#include <stdint.h>

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
