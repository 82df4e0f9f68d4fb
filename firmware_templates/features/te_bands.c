/* SPDX-License-Identifier: Apache-2.0 */
#include "te_bands.h"

#include "te_log2.h"

#define GAINED_BITS 3 /* of samples, behind the point of their mean */
#define LOST_BITS 4   /* of weighted samples, which then fill the 31 bits that the transform takes */
#define STEP_BITS 8   /* of logarithms */

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
  const int32_t *bins = work + p->window;
  for (uint32_t i = 0; i < p->window; ++i) {
    const int64_t weighted = (int64_t)(samples[i * p->axes] * (1 << GAINED_BITS) - mean) * p->weights[i];
    work[i] = (int32_t)((weighted + (1 << (LOST_BITS - 1))) >> LOST_BITS);
  }
  te_rfft_s32(&p->fft, work, p->window, work + p->window);
  for (uint32_t band = 0; band < p->count; ++band) {
    uint64_t sum = 0;
    for (uint32_t bin = p->edges[band]; bin < p->edges[band + 1]; ++bin) {
      const int64_t re = bins[2 * bin];
      const int64_t im = bins[2 * bin + 1];
      sum += (uint64_t)(re * re + im * im);
    }
    const int32_t value = (int32_t)(te_log2_u64(sum) >> (16 - STEP_BITS)) - p->offset;
    values[band] = (int16_t)(value < 0 ? 0 : value);
  }
}
