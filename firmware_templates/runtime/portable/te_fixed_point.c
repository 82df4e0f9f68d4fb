/* SPDX-License-Identifier: Apache-2.0 */
#include "te_fixed_point.h"

#include "te_requantize.h"

/* Three Newton steps towards the reciprocal of (1 + x) / 2. */
int32_t te_fixed_point_reciprocal(int32_t x) {
  const int32_t half = (int32_t)(((int64_t)x + INT32_MAX + 1) >> 1);
  int32_t r = 1515870810 + te_high_mul(half, -1010580540); /* 48/17 - 32/17 * half in Q2.29 */
  for (int32_t i = 0; i < 3; i++) {
    const int32_t error = (1 << 29) - te_high_mul(half, r);
    r += (int32_t)((uint32_t)te_high_mul(r, error) << 2);
  }
  const int64_t doubled = (int64_t)r * 2; /* half of it, from Q2.29 to Q0.31 */
  return doubled > INT32_MAX ? INT32_MAX : (int32_t)doubled;
}

int32_t te_fixed_point_zeros(uint32_t x) {
  int32_t count = 0;
  if (x == 0) {
    return 32;
  }
  for (int32_t half = 16; half > 0; half >>= 1) { /* is the upper half of what is left empty? */
    if (x >> (32 - half) == 0) {
      x <<= half;
      count += half;
    }
  }
  return count;
}
