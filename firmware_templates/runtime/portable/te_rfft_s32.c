/* SPDX-License-Identifier: Apache-2.0 */
#include "te_rfft_s32.h"

typedef int32_t te_sample;
typedef int64_t te_wide;
typedef struct {
  int32_t re;
  int32_t im;
} te_complex;

static inline te_complex te_fft_divide_by_4(te_complex x) {
  return (te_complex){(x.re + 2) >> 2, (x.im + 2) >> 2};
}

static inline te_complex te_fft_divide_by_2(te_complex x) {
  return (te_complex){(x.re + 1) >> 1, (x.im + 1) >> 1};
}

static inline int32_t rounded(int64_t product) {
  return (int32_t)((product + (INT64_C(1) << 30)) >> 31);
}

static inline te_complex te_fft_turned(te_complex a, te_complex by) {
  return (te_complex){rounded((int64_t)a.re * by.re - (int64_t)a.im * by.im),
                      rounded((int64_t)a.re * by.im + (int64_t)a.im * by.re)};
}

#include "te_rfft_stages.h"

void te_rfft_s32(const te_rfft_s32_params *p, const int32_t *samples, uint32_t count, int32_t *bins) {
  te_complex *x = (te_complex *)(void *)bins;
  te_fft_load(x, p->points, p->order, samples, count);
  te_fft_run(x, p->points, (const te_complex *)(const void *)p->twiddles,
             (const te_complex *)(const void *)p->real_twiddles);
}
