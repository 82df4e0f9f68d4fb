/* SPDX-License-Identifier: Apache-2.0 */
#include "te_requantize_any.h"

#include "te_requantize.h"

void te_requantize_any(const te_requantize_any_params *p, const void *input, void *output) {
  const int32_t lowest = te_lowest(p->output_type);
  const int32_t highest = te_highest(p->output_type);
  for (uint32_t i = 0; i < p->elements; i++) {
    const int32_t value = (int32_t)((uint32_t)te_load(p->input_type, input, i) - (uint32_t)p->input_zero_point);
    const int64_t moved = (int64_t)te_requantize(value, p->multiplier, p->shift) + p->output_zero_point;
    te_store(p->output_type, output, i, moved < lowest ? lowest : moved > highest ? highest : (int32_t)moved);
  }
}
