/* SPDX-License-Identifier: Apache-2.0 */
/* Noise followed in each channel, and taken away. */
#ifndef TE_SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION_H
#define TE_SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION_H

#include <stdint.h>

typedef struct {
  uint32_t channels;
  uint32_t share[2];             /* of the signal in the new estimate, for even and odd channels, in 2^-bits */
  uint32_t kept[2];              /* of the estimate before */
  uint32_t min_signal_remaining; /* in 2^-bits */
  uint8_t smoothing_bits;        /* fraction bits of the estimate */
  uint8_t bits;
  uint8_t clamping; /* whether the estimate follows a signal below it at once */
} te_spectral_subtraction_params;

/* estimate  [channels], state, fraction bits as said
 * output    [channels]; may be the signal */
void te_signal_filter_bank_spectral_subtraction(const te_spectral_subtraction_params *p, const uint32_t *signal,
                                                uint32_t *estimate, uint32_t *output);

#endif
