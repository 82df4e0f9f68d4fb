/* SPDX-License-Identifier: Apache-2.0 */
#include "te_normalize.h"

#include "te_requantize.h"

void te_normalize(const te_normalize_params *p, uint32_t channels, int16_t *values) {
  if (p->centers == 0) {
    return;
  }
  for (uint32_t i = 0; i < channels; ++i) {
    values[i] =
        te_clamp_s16(te_requantize(values[i] - p->centers[i], p->multipliers[i], p->shifts[i]), INT16_MIN, INT16_MAX);
  }
}
