/* SPDX-License-Identifier: Apache-2.0 */
/* The energy of an axis in bands of frequency, as logarithms. */
#ifndef TE_BANDS_H
#define TE_BANDS_H

#include <stdint.h>

#include "te_rfft_s32.h"

/* fft         of at least `window` samples: zeros follow them
 * window      samples
 * axes        samples of an instant
 * weights     [window], Q1.15: what samples are multiplied by
 * count       of bands
 * edges       [count + 1], rising, at most fft->points: bins edges[b] to edges[b + 1] - 1 are band b
 * log_offset  log2 of a sum of |bin|^2 that is 1, in Q16 */
typedef struct {
  const te_rfft_s32_params *fft;
  uint32_t window;
  uint32_t axes;
  uint32_t removes_mean;
  const uint16_t *weights;
  uint32_t count;
  const uint16_t *edges;
  int32_t log_offset;
} te_bands_params;

/* work     [window, rounded up to even], then [2 * fft->points + 2]
 * samples  [window][axes], from the first sample of the axis on
 * values   [count]: log2 of the sum of |bin|^2 in steps of 1 / 256; 0 where the sum is at most 1 */
void te_bands(const te_bands_params *p, int32_t *work, const int16_t *samples, int16_t *values);

#endif
