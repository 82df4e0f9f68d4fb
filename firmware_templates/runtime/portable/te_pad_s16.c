/* SPDX-License-Identifier: Apache-2.0 */
#include "te_pad_s16.h"

#include <string.h>

static int16_t *fill(int16_t *output, int16_t value, uint32_t elements) {
  for (; elements > 0; elements--) {
    *output++ = value;
  }
  return output;
}

void te_pad_s16(const te_pad_s16_params *p, const int16_t *input, int16_t *output) {
  output = fill(output, p->value, p->before[0]);
  for (uint32_t i = 0; i < p->sizes[0]; i++) {
    output = fill(output, p->value, p->before[1]);
    for (uint32_t j = 0; j < p->sizes[1]; j++) {
      output = fill(output, p->value, p->before[2]);
      for (uint32_t k = 0; k < p->sizes[2]; k++) {
        output = fill(output, p->value, p->before[3]);
        memmove(output, input, p->run * sizeof *output);
        input += p->run;
        output = fill(output + p->run, p->value, p->after[3]);
      }
      output = fill(output, p->value, p->after[2]);
    }
    output = fill(output, p->value, p->after[1]);
  }
  fill(output, p->value, p->after[0]);
}
