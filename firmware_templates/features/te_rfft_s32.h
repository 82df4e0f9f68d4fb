/* SPDX-License-Identifier: Apache-2.0 */
/* The Fourier transform of real numbers in 32-bit integers, without scaling: bins are as large as the sum says. */
#ifndef TE_RFFT_S32_H
#define TE_RFFT_S32_H

#include <stdint.h>

#define TE_RFFT_S32_ROOT_BITS 15

/* size   N, a power of two from 8 to 2048
 * roots  [N / 2][2]: cosine and minus sine of 2 pi k / N in Q0.15, 1 being 32767; roots[0] is not read */
typedef struct {
  uint32_t size;
  const int16_t *roots;
} te_rfft_s32_params;

/* Transform in place.
 *
 * data  [N] numbers whose absolute values sum up to at most 2^29; then real and imaginary part of the bins 0 to
 *       N / 2 - 1, the first pair being the real bins 0 and N / 2 */
void te_rfft_s32(const te_rfft_s32_params *p, int32_t *data);

#endif
