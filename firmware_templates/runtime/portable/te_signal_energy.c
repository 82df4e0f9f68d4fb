/* SPDX-License-Identifier: Apache-2.0 */
#include "te_signal_energy.h"

void te_signal_energy(const int16_t *bins, uint32_t count, uint32_t start, uint32_t end, uint32_t *output) {
  for (uint32_t i = 0; i < count; i++) {
    const int32_t re = bins[2 * i];
    const int32_t im = bins[2 * i + 1];
    output[i] = i >= start && i < end ? (uint32_t)(re * re) + (uint32_t)(im * im) : 0;
  }
}
