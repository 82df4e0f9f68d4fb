/* SPDX-License-Identifier: Apache-2.0 */
#include "te_imu.h"

#include "te_integer_sqrt.h"

typedef struct {
  int64_t sum;
  int64_t squares;
  int64_t differences;
  int32_t min;
  int32_t max;
  uint32_t crossings;
} sums;

static sums add_up(const te_imu_params *p, const int16_t *samples) {
  sums s = {0, 0, 0, samples[0], samples[0], 0};
  for (uint32_t i = 0; i < p->window; ++i) {
    const int32_t x = samples[i * p->axes];
    s.sum += x;
    s.squares += (int64_t)x * x;
    s.min = x < s.min ? x : s.min;
    s.max = x > s.max ? x : s.max;
    if (i > 0) {
      const int32_t step = x - samples[(i - 1) * p->axes];
      s.differences += step < 0 ? -step : step;
    }
  }
  uint32_t was_above = 0;
  for (uint32_t i = 0; i < p->window; ++i) {
    const uint32_t above = samples[i * p->axes] * (int64_t)p->window >= s.sum;
    s.crossings += i > 0 && above != was_above;
    was_above = above;
  }
  return s;
}

/* To the nearest whole number, ties away from zero. */
static int32_t quotient(int64_t dividend, uint32_t divisor) {
  const int64_t half = (int64_t)(divisor / 2);
  return (int32_t)((dividend + (dividend < 0 ? -half : half)) / (int64_t)divisor);
}

static int16_t saturated(int32_t x) {
  return (int16_t)(x > INT16_MAX ? INT16_MAX : x);
}

static int16_t statistic(const te_imu_params *p, uint32_t which, const int16_t *samples, const sums *s) {
  const uint32_t n = p->window;
  switch (which) {
  case TE_IMU_MEAN:
    return (int16_t)quotient(s->sum, n);
  case TE_IMU_DEVIATION:
    return saturated(quotient(te_integer_sqrt((uint64_t)(n * s->squares - s->sum * s->sum)), n));
  case TE_IMU_MEAN_DIFFERENCE:
    return saturated(quotient(s->differences, n > 1 ? n - 1 : 1));
  case TE_IMU_RMS:
    return saturated(quotient(te_integer_sqrt((uint64_t)(n * s->squares)), n));
  case TE_IMU_MIN:
    return (int16_t)s->min;
  case TE_IMU_MAX:
    return (int16_t)s->max;
  case TE_IMU_CROSSINGS:
    return (int16_t)quotient((int64_t)s->crossings * INT16_MAX, n > 1 ? n - 1 : 1);
  default:
    return samples[0];
  }
}

void te_imu_frame(const te_imu_params *p, void *state, void *scratch, const int16_t *samples, int16_t *values) {
  (void)state;
  uint32_t channels = 0;
  for (uint32_t axis = 0; axis < p->axes; ++axis) {
    const sums s = add_up(p, samples + axis);
    channels = 0;
    for (uint32_t i = 0; i < p->count; ++i) {
      if (p->statistics[i] == TE_IMU_BANDS) {
        te_bands(&p->bands, scratch, samples + axis, values + channels + axis * p->bands.count);
        channels += p->axes * p->bands.count;
      } else {
        values[channels + axis] = statistic(p, p->statistics[i], samples + axis, &s);
        channels += p->axes;
      }
    }
  }
  te_normalize(&p->normalize, channels, values);
}
