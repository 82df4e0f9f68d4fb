/* SPDX-License-Identifier: Apache-2.0 */
/* Bands of a spectrum: triangles that overlap by half. */
#ifndef TE_SIGNAL_FILTER_BANK_H
#define TE_SIGNAL_FILTER_BANK_H

#include <stdint.h>

typedef struct {
  uint32_t channels;
  const int16_t *starts;   /* [channels + 1], the first bin of each part */
  const int16_t *first;    /* [channels + 1], the place of its first weight */
  const int16_t *widths;   /* [channels + 1], its bins */
  const uint16_t *weights; /* the share of a bin for its own channel */
  const uint16_t *rests;   /* the share for the next channel */
} te_signal_filter_bank_params;

/* Part i belongs to channel i - 1, what it leaves to channel i.
 *
 * output  [channels] */
void te_signal_filter_bank(const te_signal_filter_bank_params *p, const uint32_t *spectrum, uint64_t *output);

#endif
