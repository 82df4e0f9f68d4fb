/* SPDX-License-Identifier: Apache-2.0 */
#include "te_filters_s4.h"

#include "te_int4.h"

/* Two filters, two taps at a time: more would not fit the registers. */
static void dot_2(const int8_t *w0, const int8_t *w1, const int8_t *x, uint32_t taps, int32_t sum[2]) {
  int32_t s0 = sum[0];
  int32_t s1 = sum[1];
  for (; taps >= 2; taps -= 2) {
    const int32_t first = x[0];
    const int32_t second = x[1];
    const int8_t pair0 = *w0++;
    const int8_t pair1 = *w1++;
    x += 2;
    s0 += te_low_int4(pair0) * first;
    s1 += te_low_int4(pair1) * first;
    s0 += te_high_int4(pair0) * second;
    s1 += te_high_int4(pair1) * second;
  }
  if (taps != 0) {
    s0 += te_low_int4(*w0) * *x;
    s1 += te_low_int4(*w1) * *x;
  }
  sum[0] = s0;
  sum[1] = s1;
}

static __attribute__((noinline)) void dot_4(const int8_t *const w[4], const int8_t *x, uint32_t taps, int32_t sum[4]) {
  for (int32_t i = 0; i < 4; i += 2) {
    dot_2(w[i], w[i + 1], x, taps, sum + i);
  }
}

void te_filters_s4(const te_filters *f, int32_t begin, int32_t end, int32_t offset, const int8_t *x, int8_t *output) {
  te_filter_blocks(f, dot_4, (f->taps + 1) / 2, begin, end, offset, x, output);
}
