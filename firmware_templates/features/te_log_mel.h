/* SPDX-License-Identifier: Apache-2.0 */
/* Logarithms of mel bands with noise reduction and automatic gain: one row of one window. */
#ifndef TE_LOG_MEL_H
#define TE_LOG_MEL_H

#include <stdint.h>

#include "te_rfft_s16.h"
#include "te_signal_filter_bank.h"
#include "te_signal_filter_bank_spectral_subtraction.h"
#include "te_signal_window.h"

typedef struct {
  te_signal_window_params window;
  const te_rfft_params *fft;
  const te_signal_filter_bank_params *bands;
  uint16_t first_bin; /* bins that the bands read: [first_bin, end_bin) */
  uint16_t end_bin;
  const te_spectral_subtraction_params *noise; /* null: none */
  const int16_t *gains;                        /* of te_signal_pcan; null: none */
  uint8_t snr_shift;
  int8_t correction_bits; /* by which channels are shifted left before the logarithm; negative: right */
  uint8_t ignores_lowest; /* whether -32768 does not count when samples are scaled */
  uint16_t log_scale;
  uint16_t levels; /* logarithms become int8 levels, 256 of which stand for so much; 0: they stay */
} te_log_mel_params;

/* state    [channels] uint32_t, the noise; where there is noise reduction */
void te_log_mel_reset(const te_log_mel_params *p, void *state);

/* scratch  of samples, then energies, then channels: max(2 * size, 4 * points + 4, 4 * channels) bytes; behind them of
 *          bins, then sums: max(4 * points + 4, 8 * channels) bytes; each rounded up to 8
 * samples  [window.size]
 * values   [channels] */
void te_log_mel_frame(const te_log_mel_params *p, void *state, void *scratch, const int16_t *samples, int16_t *values);

#endif
