/* SPDX-License-Identifier: Apache-2.0 */
/* Mel-frequency cepstral coefficients: one row of one window. */
#ifndef TE_MFCC_H
#define TE_MFCC_H

#include <stdint.h>

#include "te_rfft_s32.h"
#include "te_signal_filter_bank.h"

typedef struct {
  uint32_t size;         /* of a window */
  const int32_t *window; /* [size], in Q31 */
  const te_rfft_s32_params *fft;
  const te_signal_filter_bank_params *bands;
  uint16_t first_bin; /* bins that the bands read: [first_bin, end_bin) */
  uint16_t end_bin;
  uint64_t smallest;      /* added to a sum before its logarithm */
  int32_t log_offset;     /* log2 of 1.0 as a sum, in Q16 */
  const int32_t *cosines; /* [coefficients][channels of the bands] */
  uint16_t coefficients;
  uint8_t shift; /* from sums of products to coefficients */
} te_mfcc_params;

/* scratch  of samples, then sums: max(4 * size, 8 * channels) bytes, rounded up to 8; behind them of bins, then
 *          magnitudes, then logarithms: 8 * points + 8 bytes
 * samples  [size]
 * values   [coefficients] */
void te_mfcc_frame(const te_mfcc_params *p, void *state, void *scratch, const int16_t *samples, int16_t *values);

#endif
