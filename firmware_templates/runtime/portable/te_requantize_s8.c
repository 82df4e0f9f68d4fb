/* SPDX-License-Identifier: Apache-2.0 */
#include "te_requantize_s8.h"

#include "te_requantize.h"

void te_requantize_s8(const te_requantize_s8_params *p, const int8_t *input, int8_t *output) {
  /* Copies, since a store to the output could change *p for all the compiler knows. */
  const te_requantize_s8_params q = *p;
  for (uint32_t i = 0; i < q.elements; i++) {
    const int32_t x = input[i] - q.input_zero_point;
    output[i] = te_output_s8(x, q.multiplier, q.shift, q.output_zero_point, INT8_MIN, INT8_MAX);
  }
}
