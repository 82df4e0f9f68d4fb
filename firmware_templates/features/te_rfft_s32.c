/* SPDX-License-Identifier: Apache-2.0 */
#include "te_rfft_s32.h"

#define ROUND (INT64_C(1) << (TE_RFFT_S32_ROOT_BITS - 1))

typedef struct {
  int32_t re;
  int32_t im;
} complex_s32;

static inline complex_s32 times_root(complex_s32 x, const int16_t *root) {
  complex_s32 product;
  product.re = (int32_t)(((int64_t)x.re * root[0] - (int64_t)x.im * root[1] + ROUND) >> TE_RFFT_S32_ROOT_BITS);
  product.im = (int32_t)(((int64_t)x.re * root[1] + (int64_t)x.im * root[0] + ROUND) >> TE_RFFT_S32_ROOT_BITS);
  return product;
}

static inline complex_s32 read(const int32_t *data, uint32_t at) {
  const complex_s32 value = {data[2 * at], data[2 * at + 1]};
  return value;
}

static inline void write(int32_t *data, uint32_t at, int32_t re, int32_t im) {
  data[2 * at] = re;
  data[2 * at + 1] = im;
}

static void reverse_bits(int32_t *data, uint32_t points) {
  uint32_t reversed = 0;
  for (uint32_t i = 0; i < points - 1; ++i) {
    if (i < reversed) {
      const complex_s32 a = read(data, i);
      const complex_s32 b = read(data, reversed);
      write(data, i, b.re, b.im);
      write(data, reversed, a.re, a.im);
    }
    uint32_t bit = points >> 1;
    while ((reversed & bit) != 0) {
      reversed ^= bit;
      bit >>= 1;
    }
    reversed |= bit;
  }
}

static void butterfly(int32_t *data, uint32_t low, uint32_t high, complex_s32 turned) {
  const complex_s32 a = read(data, low);
  write(data, low, a.re + turned.re, a.im + turned.im);
  write(data, high, a.re - turned.re, a.im - turned.im);
}

/* Pairs of real numbers as `points` complex ones: decimation in time, radix 2. */
static void transform(const te_rfft_s32_params *p, int32_t *data, uint32_t points) {
  reverse_bits(data, points);
  for (uint32_t half = 1; half < points; half *= 2) {
    const uint32_t step = p->size / (2 * half);
    for (uint32_t low = 0; low < points; low += 2 * half) {
      butterfly(data, low, low + half, read(data, low + half)); /* the root is 1 */
    }
    for (uint32_t j = 1; j < half; ++j) {
      const int16_t *root = p->roots + 2 * j * step;
      for (uint32_t low = j; low < points; low += 2 * half) {
        butterfly(data, low, low + half, times_root(read(data, low + half), root));
      }
    }
  }
}

static inline int32_t halve(int32_t x) {
  return (x + 1) >> 1;
}

void te_rfft_s32(const te_rfft_s32_params *p, int32_t *data) {
  const uint32_t points = p->size / 2;
  transform(p, data, points);
  const complex_s32 first = read(data, 0);
  write(data, 0, first.re + first.im, first.re - first.im);
  for (uint32_t k = 1; k <= points / 2; ++k) { /* what even and odd numbers give, taken apart */
    const complex_s32 a = read(data, k);
    const complex_s32 b = read(data, points - k);
    const complex_s32 even = {a.re + b.re, a.im - b.im}; /* both doubled */
    const complex_s32 odd = {a.im + b.im, b.re - a.re};
    const complex_s32 turned = times_root(odd, p->roots + 2 * k);
    write(data, k, halve(even.re + turned.re), halve(even.im + turned.im));
    if (k != points - k) {
      write(data, points - k, halve(even.re - turned.re), halve(turned.im - even.im));
    }
  }
}
