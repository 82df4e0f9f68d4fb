/* SPDX-License-Identifier: Apache-2.0 */
#include "te_dequantize_f32.h"

void te_dequantize_f32(const te_dequantize_f32_params *p, const void *input, float *output) {
  for (uint32_t i = 0; i < p->elements; i++) {
    output[i] = p->scale * (float)(te_load(p->input_type, input, i) - p->zero_point);
  }
}
