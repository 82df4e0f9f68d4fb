/* SPDX-License-Identifier: Apache-2.0 */
#include "te_signal_window.h"

#include "te_requantize.h"

void te_signal_window(const te_signal_window_params *p, const int16_t *input, int16_t *output) {
  for (uint32_t window = 0; window < p->windows; window++) {
    for (uint32_t i = 0; i < p->size; i++) {
      *output++ = te_clamp_s16((*input++ * p->weights[i]) >> p->shift, INT16_MIN, INT16_MAX);
    }
  }
}
