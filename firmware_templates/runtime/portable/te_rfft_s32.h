/* SPDX-License-Identifier: Apache-2.0 */
/* The FFT of real int32 samples, divided by its length: radix 4, with one radix 2 inside where the length needs it.
 * Each stage divides by its radix before it adds, so nothing leaves int32. */
#ifndef TE_RFFT_S32_H
#define TE_RFFT_S32_H

#include <stdint.h>

typedef struct {
  uint32_t points;              /* complex ones: half the length, a power of two from 4 on */
  const int32_t *twiddles;      /* [points * 3 / 4][2], exp(-2 pi i k / points) in Q31 */
  const int32_t *real_twiddles; /* [points / 2][2], exp(-pi i ((k + 1) / points + 1/2)) in Q31 */
  const uint16_t *order;        /* [points], which pair of samples stands where before the innermost stage */
} te_rfft_s32_params;

/* samples  [count] in [-2^30, 2^30], zeros follow them up to the length; count is at most the length
 * bins     [2 * points + 2], bins 0 to points, real before imaginary; apart from the samples */
void te_rfft_s32(const te_rfft_s32_params *p, const int32_t *samples, uint32_t count, int32_t *bins);

#endif
