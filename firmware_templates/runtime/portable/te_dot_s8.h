/* Dot products of int8 vectors in small blocks: what is loaded once is used two or four times.
 * The sums are added to; they wrap modulo 2^32. */
#ifndef TE_DOT_S8_H
#define TE_DOT_S8_H

#include <stdint.h>

#include "te_requantize.h"

/* Two rows of weights times two vectors of `count` elements: sum[0] += w0*x0, sum[1] += w0*x1, sum[2] += w1*x0,
 * sum[3] += w1*x1. */
static inline void te_dot_2x2_s8(const int8_t *w0, const int8_t *w1, const int8_t *x0, const int8_t *x1,
                                 int32_t count, int32_t sum[4]) {
  int32_t s0 = sum[0];
  int32_t s1 = sum[1];
  int32_t s2 = sum[2];
  int32_t s3 = sum[3];
#define TE_STEP(k)                   \
  do {                               \
    const int32_t a = w0[k];         \
    const int32_t x = x0[k];         \
    const int32_t y = x1[k];         \
    const int32_t b = w1[k];         \
    s0 = te_mac(s0, a, x);           \
    s1 = te_mac(s1, a, y);           \
    s2 = te_mac(s2, b, x);           \
    s3 = te_mac(s3, b, y);           \
  } while (0)
  for (; count >= 4; count -= 4) {
    TE_STEP(0);
    TE_STEP(1);
    TE_STEP(2);
    TE_STEP(3);
    w0 += 4;
    w1 += 4;
    x0 += 4;
    x1 += 4;
  }
  for (int32_t k = 0; k < count; k++) {
    TE_STEP(k);
  }
#undef TE_STEP
  sum[0] = s0;
  sum[1] = s1;
  sum[2] = s2;
  sum[3] = s3;
}

/* Four rows of weights times one vector of `count` elements: sum[i] += w[i] * x. */
static inline void te_dot_4x1_s8(const int8_t *const w[4], const int8_t *x, int32_t count, int32_t sum[4]) {
  const int8_t *w0 = w[0];
  const int8_t *w1 = w[1];
  const int8_t *w2 = w[2];
  const int8_t *w3 = w[3];
  int32_t s0 = sum[0];
  int32_t s1 = sum[1];
  int32_t s2 = sum[2];
  int32_t s3 = sum[3];
#define TE_STEP(k)                   \
  do {                               \
    const int32_t v = x[k];          \
    s0 = te_mac(s0, w0[k], v);       \
    s1 = te_mac(s1, w1[k], v);       \
    s2 = te_mac(s2, w2[k], v);       \
    s3 = te_mac(s3, w3[k], v);       \
  } while (0)
  for (; count >= 4; count -= 4) {
    TE_STEP(0);
    TE_STEP(1);
    TE_STEP(2);
    TE_STEP(3);
    w0 += 4;
    w1 += 4;
    w2 += 4;
    w3 += 4;
    x += 4;
  }
  for (int32_t k = 0; k < count; k++) {
    TE_STEP(k);
  }
#undef TE_STEP
  sum[0] = s0;
  sum[1] = s1;
  sum[2] = s2;
  sum[3] = s3;
}

#endif
