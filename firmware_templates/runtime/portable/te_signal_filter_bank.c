/* SPDX-License-Identifier: Apache-2.0 */
#include "te_signal_filter_bank.h"

void te_signal_filter_bank(const te_signal_filter_bank_params *p, const uint32_t *spectrum, uint64_t *output) {
  uint64_t rest = 0;
  for (uint32_t part = 0; part <= p->channels; part++) {
    const uint32_t *bins = spectrum + p->starts[part];
    const int16_t *weights = p->weights + p->first[part];
    const int16_t *rests = p->rests + p->first[part];
    uint64_t sum = rest;
    rest = 0;
    for (int32_t i = 0; i < p->widths[part]; i++) {
      sum += (uint64_t)bins[i] * (uint32_t)weights[i];
      rest += (uint64_t)bins[i] * (uint32_t)rests[i];
    }
    if (part > 0) {
      output[part - 1] = sum;
    }
  }
}
