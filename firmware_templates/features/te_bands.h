/* SPDX-License-Identifier: Apache-2.0 */
/* The energy of an axis in bands of frequency, as logarithms. */
#ifndef TE_BANDS_H
#define TE_BANDS_H

#include <stdint.h>

#include "te_rfft_s32.h"

#define TE_BANDS_WEIGHT_BITS 15

/* window   samples, at most the length of the transform: zeros follow them
 * axes     samples of an instant
 * weights  [window], Q1.15: what samples are multiplied by
 * count    of bands
 * edges    [count + 1], rising, at most half the length: bins edges[b] to edges[b + 1] - 1 are band b
 * offset   what the logarithm of the energy of a count is, in steps of 1 / 256 */
typedef struct {
  te_rfft_s32_params fft;
  uint32_t window;
  uint32_t axes;
  uint32_t removes_mean;
  const uint16_t *weights;
  uint32_t count;
  const uint16_t *edges;
  int32_t offset;
} te_bands_params;

/* work     [window + 2 * fft.points + 2]
 * samples  [window][axes], from the first sample of the axis on
 * values   [count]: log2 of the sum of |bin|^2 in steps of 1 / 256; 0 where the sum is at most 1 */
void te_bands(const te_bands_params *p, int32_t *work, const int16_t *samples, int16_t *values);

#endif
