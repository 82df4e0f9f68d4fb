/* SPDX-License-Identifier: Apache-2.0 */
/* Per-channel amplitude normalization: gain by the noise, then a compression of what is small. */
#ifndef TE_SIGNAL_PCAN_H
#define TE_SIGNAL_PCAN_H

#include <stdint.h>

/* gains  [125], of the noise 0 and 1, then three coefficients and a space for each further bit of it
 * shift  of signal times gain, to the right, in [0, 63]
 * output [channels]; may be the signal */
void te_signal_pcan(const int16_t *gains, uint32_t shift, uint32_t channels, const uint32_t *signal,
                    const uint32_t *noise, uint32_t *output);

#endif
