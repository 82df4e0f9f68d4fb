/* SPDX-License-Identifier: Apache-2.0 */
#include "te_bands.h"

#include "te_log2.h"

enum {
  GAINED_BITS = 3,  /* of samples and their mean */
  WEIGHT_SHIFT = 4, /* of weighted samples, to the right: then they fill 30 bits */
  VALUE_SHIFT = 8,  /* of logarithms in Q16 */
};

/* With GAINED_BITS behind the point. */
static int32_t mean_of(const te_bands_params *p, const int16_t *samples) {
  int32_t sum = 0; /* of at most 2048 samples */
  for (uint32_t i = 0; i < p->window; ++i) {
    sum += samples[i * p->axes];
  }
  sum *= 1 << GAINED_BITS;
  const int32_t half = (int32_t)(p->window / 2);
  return (sum + (sum < 0 ? -half : half)) / (int32_t)p->window;
}

void te_bands(const te_bands_params *p, int32_t *work, const int16_t *samples, int16_t *values) {
  const int32_t mean = p->removes_mean ? mean_of(p, samples) : 0;
  for (uint32_t i = 0; i < p->window; ++i) {
    const int32_t gained = samples[i * p->axes] * (1 << GAINED_BITS) - mean;
    work[i] = (int32_t)(((int64_t)gained * p->weights[i]) >> WEIGHT_SHIFT);
  }
  int32_t *bins = work + ((p->window + 1) & ~1u);
  te_rfft_s32(p->fft, work, p->window, bins);
  for (uint32_t band = 0; band < p->count; ++band) {
    uint64_t sum = 0;
    for (uint32_t bin = p->edges[band]; bin < p->edges[band + 1]; ++bin) {
      const int64_t re = bins[2 * bin];
      const int64_t im = bins[2 * bin + 1];
      sum += (uint64_t)(re * re) + (uint64_t)(im * im);
    }
    const int32_t logarithm = (int32_t)te_log2_u64(sum) - p->log_offset;
    const int32_t value = (logarithm + (1 << (VALUE_SHIFT - 1))) >> VALUE_SHIFT;
    values[band] = (int16_t)(value < 0 ? 0 : value);
  }
}
