#include "te_requantize_s8.h"

#include "te_requantize.h"

void te_requantize_s8(const te_requantize_s8_params *p, const int8_t *input, int8_t *output) {
  const int32_t input_zero_point = p->input_zero_point;
  for (uint32_t i = 0; i < p->elements; i++) {
    output[i] = te_output_s8(input[i] - input_zero_point, p->multiplier, p->shift, p->output_zero_point, INT8_MIN,
                             INT8_MAX);
  }
}
