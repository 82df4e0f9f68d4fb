/* SPDX-License-Identifier: Apache-2.0 */
/* The stages of an FFT in fixed point. Who includes it says what samples are: te_sample, te_wide for sums of two of
 * them, te_complex of two of them (re, im), and how these are divided and turned: te_fft_divide_by_2,
 * te_fft_divide_by_4, te_fft_turned. */
#ifndef TE_RFFT_STAGES_H
#define TE_RFFT_STAGES_H

static inline te_complex te_fft_add(te_complex a, te_complex b) {
  return (te_complex){(te_sample)(a.re + b.re), (te_sample)(a.im + b.im)};
}

static inline te_complex te_fft_subtract(te_complex a, te_complex b) {
  return (te_complex){(te_sample)(a.re - b.re), (te_sample)(a.im - b.im)};
}

/* Four values that were divided and turned, at x[0], x[width], x[2 * width] and x[3 * width]. */
static inline void te_fft_butterfly_4(te_complex *x, uint32_t width, te_complex first, te_complex second,
                                      te_complex third, te_complex fourth) {
  const te_complex even_sum = te_fft_add(first, third);
  const te_complex even_difference = te_fft_subtract(first, third);
  const te_complex odd_sum = te_fft_add(second, fourth);
  const te_complex odd_difference = te_fft_subtract(second, fourth);
  x[0] = te_fft_add(even_sum, odd_sum);
  x[2 * width] = te_fft_subtract(even_sum, odd_sum);
  x[width] = (te_complex){(te_sample)(even_difference.re + odd_difference.im),
                          (te_sample)(even_difference.im - odd_difference.re)};
  x[3 * width] = (te_complex){(te_sample)(even_difference.re - odd_difference.im),
                              (te_sample)(even_difference.im + odd_difference.re)};
}

/* The stage inside, whose twiddles are 1. */
static void te_fft_first_stage_4(te_complex *x, uint32_t points) {
  for (const te_complex *end = x + points; x < end; x += 4) {
    te_fft_butterfly_4(x, 1, te_fft_divide_by_4(x[0]), te_fft_divide_by_4(x[1]), te_fft_divide_by_4(x[2]),
                       te_fft_divide_by_4(x[3]));
  }
}

static void te_fft_first_stage_2(te_complex *x, uint32_t points) {
  for (const te_complex *end = x + points; x < end; x += 2) {
    const te_complex first = te_fft_divide_by_2(x[0]);
    const te_complex second = te_fft_divide_by_2(x[1]);
    x[0] = te_fft_add(first, second);
    x[1] = te_fft_subtract(first, second);
  }
}

static void te_fft_stage_4(te_complex *x, uint32_t points, uint32_t width, const te_complex *twiddles) {
  const uint32_t step = points / (4 * width);
  for (const te_complex *end = x + points; x < end; x += 4 * width) {
    for (uint32_t k = 0; k < width; k++) {
      const te_complex *turn = twiddles + k * step;
      te_fft_butterfly_4(x + k, width, te_fft_divide_by_4(x[k]),
                         te_fft_turned(te_fft_divide_by_4(x[k + width]), turn[0]),
                         te_fft_turned(te_fft_divide_by_4(x[k + 2 * width]), turn[k * step]),
                         te_fft_turned(te_fft_divide_by_4(x[k + 3 * width]), turn[2 * k * step]));
    }
  }
}

/* The bins of the real samples, out of the transform of them as pairs; in place. */
static void te_fft_part_bins(te_complex *x, uint32_t points, const te_complex *twiddles) {
  const te_complex first = te_fft_divide_by_2(x[0]);
  x[0] = (te_complex){(te_sample)(first.re + first.im), 0};
  x[points] = (te_complex){(te_sample)(first.re - first.im), 0};
  for (uint32_t k = 1; k <= points / 2; k++) {
    const te_complex mirrored = {x[points - k].re, (te_sample)-x[points - k].im};
    const te_complex low = te_fft_divide_by_2(x[k]);
    const te_complex high = te_fft_divide_by_2(mirrored);
    const te_complex sum = te_fft_add(low, high);
    const te_complex turn = te_fft_turned(te_fft_subtract(low, high), twiddles[k - 1]);
    x[k] = (te_complex){(te_sample)(((te_wide)sum.re + turn.re) >> 1), (te_sample)(((te_wide)sum.im + turn.im) >> 1)};
    x[points - k] =
        (te_complex){(te_sample)(((te_wide)sum.re - turn.re) >> 1), (te_sample)(((te_wide)turn.im - sum.im) >> 1)};
  }
}

/* Samples in the order of the innermost stage, zeros behind the last one. */
static void te_fft_load(te_complex *x, uint32_t points, const uint16_t *order, const te_sample *samples,
                        uint32_t count) {
  for (uint32_t i = 0; i < points; i++) {
    const uint32_t at = 2u * order[i];
    x[i].re = at < count ? samples[at] : 0;
    x[i].im = at + 1 < count ? samples[at + 1] : 0;
  }
}

/* All stages, in place. */
static void te_fft_run(te_complex *x, uint32_t points, const te_complex *twiddles, const te_complex *real_twiddles) {
  const int has_radix_2 = (__builtin_ctz(points) & 1) != 0;
  if (has_radix_2) {
    te_fft_first_stage_2(x, points);
  } else {
    te_fft_first_stage_4(x, points);
  }
  for (uint32_t width = has_radix_2 ? 2 : 4; width < points; width *= 4) {
    te_fft_stage_4(x, points, width, twiddles);
  }
  te_fft_part_bins(x, points, real_twiddles);
}

#endif
