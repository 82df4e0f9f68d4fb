/* SPDX-License-Identifier: Apache-2.0 */
/* What logistic and tanh of int16 have in common. */
#ifndef TE_SIGMOID_H
#define TE_SIGMOID_H

#include <stdint.h>

typedef struct {
  const uint16_t *table; /* 256 values of the logistic function of i/24, in 1/65536 */
  uint32_t elements;
  int16_t multiplier; /* not negative */
  uint8_t left_shift; /* at most 31: input * multiplier / 2^left_shift is in steps of 1/(3 * 4096) */
} te_sigmoid_params;

static inline int32_t te_sigmoid_argument(const te_sigmoid_params *p, int32_t element) {
  const int32_t half = (int32_t)((UINT32_C(1) << p->left_shift) >> 1);
  return (element * p->multiplier + half) >> p->left_shift;
}

/* Between two values of the table, with `bits` more bits; `index` is at most 254. */
static inline int32_t te_sigmoid_between(const te_sigmoid_params *p, uint32_t magnitude, uint32_t bits) {
  const uint32_t index = magnitude >> bits;
  const int32_t part = (int32_t)(magnitude & ((UINT32_C(1) << bits) - 1));
  const int32_t low = p->table[index];
  return low * (1 << bits) + part * (p->table[index + 1] - low);
}

#endif
