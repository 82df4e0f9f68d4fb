/* SPDX-License-Identifier: Apache-2.0 */
#include "te_signal_filter_bank.h"

void te_signal_filter_bank(const te_signal_filter_bank_params *p, const uint32_t *spectrum, uint64_t *output) {
  uint64_t rest = 0;
  for (uint32_t part = 0; part <= p->channels; part++) {
    const uint32_t *bins = spectrum + p->starts[part];
    const uint16_t *weights = p->weights + p->first[part];
    const uint16_t *rests = p->rests + p->first[part];
    uint64_t sum = rest;
    rest = 0;
    for (int32_t i = 0; i < p->widths[part]; i++) {
      const uint64_t bin = bins[i];
      sum += bin * weights[i];
      rest += bin * rests[i];
    }
    if (part > 0) {
      output[part - 1] = sum;
    }
  }
}
