/* SPDX-License-Identifier: Apache-2.0 */
#include "te_filters_s8.h"

/* Each element of x is loaded once for four filters. A function of its own, so that the loop has the registers to
 * itself; unrolled by hand, gcc keeps too much in flight and spills. */
static __attribute__((noinline)) void dot_4(const int8_t *const w[4], const int8_t *x, uint32_t taps, int32_t sum[4]) {
  const int8_t *w0 = w[0];
  const int8_t *w1 = w[1];
  const int8_t *w2 = w[2];
  const int8_t *w3 = w[3];
  int32_t s0 = sum[0];
  int32_t s1 = sum[1];
  int32_t s2 = sum[2];
  int32_t s3 = sum[3];
  for (uint32_t k = 0; k < taps; k++) {
    const int32_t v = x[k];
    s0 += w0[k] * v;
    s1 += w1[k] * v;
    s2 += w2[k] * v;
    s3 += w3[k] * v;
  }
  sum[0] = s0;
  sum[1] = s1;
  sum[2] = s2;
  sum[3] = s3;
}

void te_filters_s8(const te_filters *f, int32_t begin, int32_t end, int32_t offset, const int8_t *x, int8_t *output) {
  te_filter_blocks(f, dot_4, f->taps, begin, end, offset, x, output);
}
