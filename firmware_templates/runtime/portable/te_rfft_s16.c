/* SPDX-License-Identifier: Apache-2.0 */
#include "te_rfft_s16.h"

typedef int16_t te_sample;
typedef int32_t te_wide;
typedef struct {
  int16_t re;
  int16_t im;
} te_complex;

static inline int16_t rounded(int32_t product) {
  return (int16_t)((product + (1 << 14)) >> 15);
}

/* What is divided by a radix is not changed by a twiddle of 32767 / 32768. */
static inline te_complex te_fft_divide_by_4(te_complex x) {
  return (te_complex){rounded(x.re * (INT16_MAX / 4)), rounded(x.im * (INT16_MAX / 4))};
}

static inline te_complex te_fft_divide_by_2(te_complex x) {
  return (te_complex){rounded(x.re * (INT16_MAX / 2)), rounded(x.im * (INT16_MAX / 2))};
}

static inline te_complex te_fft_turned(te_complex a, te_complex by) {
  return (te_complex){rounded(a.re * by.re - a.im * by.im), rounded(a.re * by.im + a.im * by.re)};
}

#include "te_rfft_stages.h"

void te_rfft_s16(const te_rfft_params *p, const int16_t *samples, uint32_t count, int16_t *bins) {
  te_complex *x = (te_complex *)(void *)bins;
  te_fft_load(x, p->points, p->order, samples, count);
  te_fft_run(x, p->points, (const te_complex *)(const void *)p->twiddles,
             (const te_complex *)(const void *)p->real_twiddles);
}
