/* SPDX-License-Identifier: Apache-2.0 */
#include "te_cast.h"

void te_cast(const te_cast_params *p, const void *input, void *output) {
  if (p->input_type == TE_S32 && p->output_type == TE_S32) {
    const int32_t *from = input;
    int32_t *to = output;
    for (uint32_t i = 0; i < p->elements; i++) {
      to[i] = from[i];
    }
    return;
  }
  for (uint32_t i = 0; i < p->elements; i++) {
    te_store(p->output_type, output, i, te_load(p->input_type, input, i));
  }
}
