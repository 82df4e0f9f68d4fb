/* SPDX-License-Identifier: Apache-2.0 */
#include "te_rfft_s16.h"

typedef struct {
  int16_t re;
  int16_t im;
} complex_s16;

static inline int16_t rounded(int32_t product) {
  return (int16_t)((product + (1 << 14)) >> 15);
}

static inline complex_s16 divide_by_4(complex_s16 x) {
  return (complex_s16){rounded(x.re * (INT16_MAX / 4)), rounded(x.im * (INT16_MAX / 4))};
}

static inline complex_s16 divide_by_2(complex_s16 x) {
  return (complex_s16){rounded(x.re * (INT16_MAX / 2)), rounded(x.im * (INT16_MAX / 2))};
}

static inline complex_s16 add(complex_s16 a, complex_s16 b) {
  return (complex_s16){(int16_t)(a.re + b.re), (int16_t)(a.im + b.im)};
}

static inline complex_s16 subtract(complex_s16 a, complex_s16 b) {
  return (complex_s16){(int16_t)(a.re - b.re), (int16_t)(a.im - b.im)};
}

static inline complex_s16 turned(complex_s16 a, complex_s16 by) {
  return (complex_s16){rounded(a.re * by.re - a.im * by.im), rounded(a.re * by.im + a.im * by.re)};
}

/* Four values that were divided and turned, at x[0], x[width], x[2 * width] and x[3 * width]. */
static inline void butterfly_4(complex_s16 *x, uint32_t width, complex_s16 first, complex_s16 second, complex_s16 third,
                               complex_s16 fourth) {
  const complex_s16 even_sum = add(first, third);
  const complex_s16 even_difference = subtract(first, third);
  const complex_s16 odd_sum = add(second, fourth);
  const complex_s16 odd_difference = subtract(second, fourth);
  x[0] = add(even_sum, odd_sum);
  x[2 * width] = subtract(even_sum, odd_sum);
  x[width] = (complex_s16){(int16_t)(even_difference.re + odd_difference.im),
                           (int16_t)(even_difference.im - odd_difference.re)};
  x[3 * width] = (complex_s16){(int16_t)(even_difference.re - odd_difference.im),
                               (int16_t)(even_difference.im + odd_difference.re)};
}

/* The stage inside, whose twiddles are 1: what was divided by a radix is not changed by 32767 / 32768. */
static void first_stage_4(complex_s16 *x, uint32_t points) {
  for (const complex_s16 *end = x + points; x < end; x += 4) {
    butterfly_4(x, 1, divide_by_4(x[0]), divide_by_4(x[1]), divide_by_4(x[2]), divide_by_4(x[3]));
  }
}

static void first_stage_2(complex_s16 *x, uint32_t points) {
  for (const complex_s16 *end = x + points; x < end; x += 2) {
    const complex_s16 first = divide_by_2(x[0]);
    const complex_s16 second = divide_by_2(x[1]);
    x[0] = add(first, second);
    x[1] = subtract(first, second);
  }
}

static void stage_4(complex_s16 *x, uint32_t points, uint32_t width, const complex_s16 *twiddles) {
  const uint32_t step = points / (4 * width);
  for (const complex_s16 *end = x + points; x < end; x += 4 * width) {
    for (uint32_t k = 0; k < width; k++) {
      const complex_s16 *turn = twiddles + k * step;
      butterfly_4(x + k, width, divide_by_4(x[k]), turned(divide_by_4(x[k + width]), turn[0]),
                  turned(divide_by_4(x[k + 2 * width]), turn[k * step]),
                  turned(divide_by_4(x[k + 3 * width]), turn[2 * k * step]));
    }
  }
}

/* The bins of the real samples, out of the transform of them as pairs; in place. */
static void part_bins(complex_s16 *x, uint32_t points, const complex_s16 *twiddles) {
  const complex_s16 first = divide_by_2(x[0]);
  x[0] = (complex_s16){(int16_t)(first.re + first.im), 0};
  x[points] = (complex_s16){(int16_t)(first.re - first.im), 0};
  for (uint32_t k = 1; k <= points / 2; k++) {
    const complex_s16 mirrored = {x[points - k].re, (int16_t)-x[points - k].im};
    const complex_s16 low = divide_by_2(x[k]);
    const complex_s16 high = divide_by_2(mirrored);
    const complex_s16 sum = add(low, high);
    const complex_s16 turn = turned(subtract(low, high), twiddles[k - 1]);
    x[k] = (complex_s16){(int16_t)((sum.re + turn.re) >> 1), (int16_t)((sum.im + turn.im) >> 1)};
    x[points - k] = (complex_s16){(int16_t)((sum.re - turn.re) >> 1), (int16_t)((turn.im - sum.im) >> 1)};
  }
}

void te_rfft_s16(const te_rfft_params *p, const int16_t *samples, uint32_t count, int16_t *bins) {
  complex_s16 *x = (complex_s16 *)(void *)bins;
  const complex_s16 *twiddles = (const complex_s16 *)(const void *)p->twiddles;
  for (uint32_t i = 0; i < p->points; i++) {
    const uint32_t at = 2u * p->order[i];
    x[i].re = at < count ? samples[at] : 0;
    x[i].im = at + 1 < count ? samples[at + 1] : 0;
  }
  const int has_radix_2 = (__builtin_ctz(p->points) & 1) != 0;
  if (has_radix_2) {
    first_stage_2(x, p->points);
  } else {
    first_stage_4(x, p->points);
  }
  for (uint32_t width = has_radix_2 ? 2 : 4; width < p->points; width *= 4) {
    stage_4(x, p->points, width, twiddles);
  }
  part_bins(x, p->points, (const complex_s16 *)(const void *)p->real_twiddles);
}
