/* SPDX-License-Identifier: Apache-2.0 */
#include "te_svdf_s8.h"

#include <string.h>

#include "te_requantize.h"

/* What a filter makes of the input: the state's newest value, before its zero point is added. */
static int32_t feature_of(const te_svdf_params *p, const int8_t *input, const int8_t *weights, int32_t min,
                          int32_t max) {
  const int32_t zero_point = p->input_zero_point;
  int32_t sum = 0;
  for (uint32_t i = 0; i < p->inputs; i++) {
    sum += (input[i] - zero_point) * weights[i];
  }
  const int32_t feature = te_requantize(sum, p->feature_multiplier, p->feature_shift);
  return feature < min ? min : feature > max ? max : feature;
}

static int8_t output_of(const te_svdf_params *p, uint32_t sum) {
  return te_output_s8((int32_t)sum, p->output_multiplier, p->output_shift, p->output_zero_point, INT8_MIN, INT8_MAX);
}

void te_svdf_s8(const te_svdf_params *p, const int8_t *input, int8_t *state, int8_t *output) {
  for (uint32_t batch = 0; batch < p->batches; batch++) {
    const int8_t *features = p->features;
    const int8_t *times = (const int8_t *)p->times;
    for (uint32_t unit = 0; unit < p->units; unit++) {
      uint32_t sum = (uint32_t)p->bias[unit];
      for (uint32_t filter = 0; filter < p->rank; filter++) {
        memmove(state, state + 1, p->memory - 1u);
        state[p->memory - 1] = (int8_t)(feature_of(p, input, features, INT8_MIN, INT8_MAX) + p->state_zero_point);
        for (uint32_t i = 0; i < p->memory; i++) {
          sum += (uint32_t)((state[i] - p->state_zero_point) * times[i]);
        }
        features += p->inputs;
        times += p->memory;
        state += p->memory;
      }
      *output++ = output_of(p, sum);
    }
    input += p->inputs;
  }
}

void te_svdf_s8_s16(const te_svdf_params *p, const int8_t *input, int16_t *state, int8_t *output) {
  for (uint32_t batch = 0; batch < p->batches; batch++) {
    const int8_t *features = p->features;
    const int16_t *times = (const int16_t *)p->times;
    for (uint32_t unit = 0; unit < p->units; unit++) {
      uint32_t sum = (uint32_t)p->bias[unit];
      for (uint32_t filter = 0; filter < p->rank; filter++) {
        memmove(state, state + 1, (p->memory - 1u) * sizeof *state);
        state[p->memory - 1] = (int16_t)(feature_of(p, input, features, INT16_MIN, INT16_MAX) + p->state_zero_point);
        for (uint32_t i = 0; i < p->memory; i++) {
          sum += (uint32_t)(state[i] - p->state_zero_point) * (uint32_t)times[i];
        }
        features += p->inputs;
        times += p->memory;
        state += p->memory;
      }
      *output++ = output_of(p, sum);
    }
    input += p->inputs;
  }
}
