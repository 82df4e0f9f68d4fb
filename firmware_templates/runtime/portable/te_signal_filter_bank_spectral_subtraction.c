/* SPDX-License-Identifier: Apache-2.0 */
#include "te_signal_filter_bank_spectral_subtraction.h"

void te_signal_filter_bank_spectral_subtraction(const te_spectral_subtraction_params *p, const uint32_t *signal,
                                                uint32_t *estimate, uint32_t *output) {
  for (uint32_t i = 0; i < p->channels; i++) {
    const uint32_t value = signal[i];
    const uint32_t scaled = value << p->smoothing_bits;
    const uint32_t noise =
        (uint32_t)(((uint64_t)scaled * p->share[i & 1] + (uint64_t)estimate[i] * p->kept[i & 1]) >> p->bits);
    const uint32_t taken = noise > scaled ? scaled : noise;
    estimate[i] = p->clamping != 0 ? taken : noise;
    const uint32_t floor = (uint32_t)(((uint64_t)value * p->min_signal_remaining) >> p->bits);
    const uint32_t left = (scaled - taken) >> p->smoothing_bits;
    output[i] = left > floor ? left : floor;
  }
}
