/* SPDX-License-Identifier: Apache-2.0 */
#include "te_fully_connected_s16.h"

void te_fully_connected_s16(const te_fully_connected_s16_params *p, const int16_t *input, int16_t *output) {
  for (int32_t batch = 0; batch < p->batches; batch++) {
    te_filters_s16(&p->filters, 0, p->outputs, input, output);
    input += p->filters.taps;
    output += p->outputs;
  }
}
