/* SPDX-License-Identifier: Apache-2.0 */
/* Sigmoid and hyperbolic tangent of int16 values, by a table and straight lines between its entries. */
#ifndef TE_GATES_S16_H
#define TE_GATES_S16_H

#include <stdint.h>

/* In both, `table` holds sigmoid(i / 24) in 16 fractional bits for i in [0, 255]. */

/* sigmoid(x) with 15 fractional bits, x with 12. */
static inline int16_t te_sigmoid_s16(const uint16_t *table, int32_t x) {
  x *= 3; /* 512 steps from one entry to the next */
  const uint32_t magnitude = (uint32_t)(x < 0 ? -x : x);
  const uint32_t place = magnitude >> 9;
  uint32_t result = UINT32_C(0x7FFF) << 10;
  if (place < 255) {
    const uint32_t low = table[place];
    result = (low << 9) + (magnitude & 511) * (table[place + 1] - low);
  }
  result = x < 0 ? (UINT32_C(1) << 25) - result + 511 : result + 512;
  return (int16_t)(result >> 10);
}

/* tanh(x) with 15 fractional bits; x * multiplier / 2^right_shift counts 256 steps from one entry to the next. */
static inline int16_t te_tanh_s16(const uint16_t *table, int32_t x, int32_t multiplier, int32_t right_shift) {
  x = (x * multiplier + ((1 << right_shift) >> 1)) >> right_shift;
  const uint32_t magnitude = (uint32_t)(x < 0 ? -x : x);
  const uint32_t place = magnitude >> 8;
  int32_t result = 0xFFFF << 8;
  if (place < 255) {
    const uint32_t low = table[place];
    result = (int32_t)((low << 8) + (magnitude & 255) * (table[place + 1] - low));
  }
  result = x < 0 ? (1 << 23) - result + 127 : result - (1 << 23) + 128;
  return (int16_t)(result >> 8);
}

#endif
