/* SPDX-License-Identifier: Apache-2.0 */
/* Mel filter-bank energies in 256 levels of decibels: one row of one frame. */
#ifndef TE_MFE_H
#define TE_MFE_H

#include <stdint.h>

#include "te_rfft_s32.h"
#include "te_signal_filter_bank.h"

typedef struct {
  uint32_t size;    /* samples of a frame that are transformed */
  uint32_t stride;  /* to the next frame */
  int32_t emphasis; /* the share of the sample before, in Q13 */
  const te_rfft_s32_params *fft;
  const te_signal_filter_bank_params *bands;
  int32_t log_offset;  /* log2 of a sum at level 0, in Q16 */
  int32_t level_scale; /* levels of an octave, in Q16 */
} te_mfe_params;

/* state  int16_t: the sample before the next frame */
void te_mfe_reset(const te_mfe_params *p, void *state);

/* scratch  of samples: 4 * size bytes, rounded up to 8; behind them of bins: 8 * points + 8 bytes
 * samples  of a frame, the larger of size and stride
 * values   [channels], 0 to 255 */
void te_mfe_frame(const te_mfe_params *p, void *state, void *scratch, const int16_t *samples, int16_t *values);

#endif
