/* SPDX-License-Identifier: Apache-2.0 */
#include "te_log_mel.h"

#include <string.h>

#include "te_bits.h"
#include "te_log_u32.h"
#include "te_signal_energy.h"
#include "te_signal_fft_auto_scale.h"
#include "te_signal_filter_bank_square_root.h"
#include "te_signal_pcan.h"

enum { INT8_LEVELS = 256 };

void te_log_mel_reset(const te_log_mel_params *p, void *state) {
  memset(state, 0, sizeof(uint32_t) * p->bands->channels);
}

static uint32_t larger(uint32_t a, uint32_t b) {
  return a > b ? a : b;
}

/* By how many bits the samples can be shifted left. */
static int32_t bits_of(const te_log_mel_params *p, const int16_t *samples) {
  if (!p->ignores_lowest) {
    return te_signal_scale_bits(samples, p->window.size);
  }
  int32_t largest = 0;
  for (uint32_t i = 0; i < p->window.size; i++) {
    const int32_t size = samples[i] < 0 ? -samples[i] : samples[i];
    if (size > largest && size <= INT16_MAX) {
      largest = size;
    }
  }
  return largest == 0 ? 15 : 15 - (int32_t)te_bit_length((uint32_t)largest);
}

static int16_t logarithm_of(const te_log_mel_params *p, uint32_t channel) {
  const uint32_t x = p->correction_bits < 0 ? channel >> -p->correction_bits : channel << p->correction_bits;
  const uint32_t value = x > 1 ? te_log_u32(x, p->log_scale) : 0;
  if (p->levels == 0) {
    return (int16_t)value;
  }
  const uint32_t level = (value * INT8_LEVELS + p->levels / 2u) / p->levels;
  return (int16_t)(level < INT8_LEVELS ? level : INT8_LEVELS - 1);
}

void te_log_mel_frame(const te_log_mel_params *p, void *state, void *scratch, const int16_t *samples, int16_t *values) {
  const uint32_t channels = p->bands->channels;
  const uint32_t spectrum_bytes = 4 * p->fft->points + 4;
  const uint32_t samples_bytes = larger(larger(2 * p->window.size, spectrum_bytes), 4 * channels);
  int16_t *windowed = scratch;
  int16_t *bins = (void *)((uint8_t *)scratch + ((samples_bytes + 7) & ~7u));
  te_signal_window(&p->window, samples, windowed);
  const int32_t bits = bits_of(p, windowed);
  for (uint32_t i = 0; i < p->window.size; i++) {
    windowed[i] = (int16_t)(windowed[i] * (1 << bits));
  }
  te_rfft_s16(p->fft, windowed, p->window.size, bins);
  uint32_t *energies = scratch;
  const uint32_t count = (uint32_t)p->end_bin - p->first_bin;
  te_signal_energy(bins + 2 * p->first_bin, count, 0, count, energies + p->first_bin);
  uint64_t *sums = (void *)bins;
  te_signal_filter_bank(p->bands, energies, sums);
  uint32_t *signal = scratch;
  te_signal_filter_bank_square_root(sums, channels, (uint32_t)bits, signal);
  if (p->noise != 0) {
    te_signal_filter_bank_spectral_subtraction(p->noise, signal, state, signal);
  }
  if (p->gains != 0) {
    te_signal_pcan(p->gains, p->snr_shift, channels, signal, state, signal);
  }
  for (uint32_t i = 0; i < channels; i++) {
    values[i] = logarithm_of(p, signal[i]);
  }
}
