/* SPDX-License-Identifier: Apache-2.0 */
#include "te_fully_connected_f32.h"

void te_fully_connected_f32(const te_fully_connected_f32_params *p, const float *input, const float *weights,
                            const float *bias, float *output) {
  for (uint32_t batch = p->batches; batch > 0; batch--) {
    const float *row = weights;
    for (uint32_t i = 0; i < p->outputs; i++) {
      float sum = 0.0f;
      for (uint32_t j = 0; j < p->inputs; j++) {
        sum += input[j] * row[j];
      }
      const float value = sum + bias[i];
      const float raised = value < p->min ? p->min : value;
      *output++ = raised > p->max ? p->max : raised;
      row += p->inputs;
    }
    input += p->inputs;
  }
}
