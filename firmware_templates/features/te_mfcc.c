/* SPDX-License-Identifier: Apache-2.0 */
#include "te_mfcc.h"

#include "te_bits.h"
#include "te_log2.h"
#include "te_signal_filter_bank_square_root.h"

/* By how many bits the samples of a window can be shifted left. */
static uint32_t free_bits(const int16_t *samples, uint32_t size) {
  uint32_t used = 0;
  for (uint32_t i = 0; i < size; i++) {
    const int32_t sample = samples[i];
    used |= (uint32_t)(sample < 0 ? ~sample : sample);
  }
  return used == 0 ? 15 : 15 - te_bit_length(used);
}

static uint32_t magnitude(const int32_t *bin) {
  return te_square_root((uint64_t)((int64_t)bin[0] * bin[0]) + (uint64_t)((int64_t)bin[1] * bin[1]));
}

static int16_t coefficient(const te_mfcc_params *p, const int32_t *logarithms, const int32_t *cosines) {
  int64_t sum = INT64_C(1) << (p->shift - 1);
  for (uint32_t i = 0; i < p->bands->channels; i++) {
    sum += (int64_t)logarithms[i] * cosines[i];
  }
  const int64_t value = sum >> p->shift;
  return (int16_t)(value < INT16_MIN ? INT16_MIN : value > INT16_MAX ? INT16_MAX : value);
}

void te_mfcc_frame(const te_mfcc_params *p, void *state, void *scratch, const int16_t *samples, int16_t *values) {
  (void)state;
  const uint32_t channels = p->bands->channels;
  const uint32_t samples_bytes = 4 * p->size > 8 * channels ? 4 * p->size : 8 * channels;
  int32_t *windowed = scratch;
  int32_t *bins = (void *)((uint8_t *)scratch + ((samples_bytes + 7) & ~7u));
  const uint32_t bits = free_bits(samples, p->size);
  for (uint32_t i = 0; i < p->size; i++) {
    windowed[i] = (int32_t)(((int64_t)(samples[i] * (1 << bits)) * p->window[i]) >> 16);
  }
  te_rfft_s32(p->fft, windowed, p->size, bins);
  uint32_t *magnitudes = (void *)bins; /* bin i makes room for magnitude i */
  for (uint32_t i = p->first_bin; i < p->end_bin; i++) {
    magnitudes[i] = magnitude(bins + 2 * i);
  }
  uint64_t *sums = scratch;
  te_signal_filter_bank(p->bands, magnitudes, sums);
  int32_t *logarithms = bins;
  const int32_t log_offset = p->log_offset + (int32_t)(bits << 16);
  for (uint32_t i = 0; i < channels; i++) {
    logarithms[i] = (int32_t)te_log2_u64(sums[i] + (p->smallest << bits)) - log_offset;
  }
  for (uint32_t i = 0; i < p->coefficients; i++) {
    values[i] = coefficient(p, logarithms, p->cosines + i * channels);
  }
}
