/* SPDX-License-Identifier: Apache-2.0 */
#include "te_mfe.h"

#include "te_log2.h"

enum { EMPHASIS_BITS = 13, POWER_SHIFT = 16, LEVELS = 256 };

void te_mfe_reset(const te_mfe_params *p, void *state) {
  (void)p;
  *(int16_t *)state = 0;
}

static uint64_t power(const int32_t *bin) {
  return ((uint64_t)((int64_t)bin[0] * bin[0]) + (uint64_t)((int64_t)bin[1] * bin[1])) >> POWER_SHIFT;
}

static int16_t level(const te_mfe_params *p, uint64_t sum) {
  const int64_t octaves = (int64_t)te_log2_u64(sum) - p->log_offset;
  const int64_t value = (octaves * p->level_scale + (INT64_C(1) << 31)) >> 32;
  return (int16_t)(value < 0 ? 0 : value >= LEVELS ? LEVELS - 1 : value);
}

/* The part of the bands between two edges: what its bins give to the band that falls there, and to the one that rises.
 */
static void sum_part(const te_mfe_params *p, const int32_t *bins, uint32_t part, uint64_t *falling, uint64_t *rising) {
  const te_signal_filter_bank_params *bands = p->bands;
  const int32_t *bin = bins + 2 * bands->starts[part];
  const uint16_t *weights = bands->weights + bands->first[part];
  const uint16_t *rests = bands->rests + bands->first[part];
  *rising = 0;
  for (int32_t i = 0; i < bands->widths[part]; i++) {
    const uint64_t weighed = power(bin + 2 * i);
    *falling += weighed * weights[i];
    *rising += weighed * rests[i];
  }
}

void te_mfe_frame(const te_mfe_params *p, void *state, void *scratch, const int16_t *samples, int16_t *values) {
  int16_t *before = state;
  int32_t *emphasized = scratch;
  int32_t *bins = (void *)((uint8_t *)scratch + ((4 * p->size + 7) & ~7u));
  int32_t last = *before;
  for (uint32_t i = 0; i < p->size; i++) {
    emphasized[i] = samples[i] * (1 << EMPHASIS_BITS) - last * p->emphasis;
    last = samples[i];
  }
  *before = samples[p->stride - 1];
  te_rfft_s32(p->fft, emphasized, p->size, bins);
  uint64_t falling = 0;
  for (uint32_t part = 0; part <= p->bands->channels; part++) {
    uint64_t rising;
    sum_part(p, bins, part, &falling, &rising);
    if (part > 0) {
      values[part - 1] = level(p, falling);
    }
    falling = rising;
  }
}
