/* SPDX-License-Identifier: Apache-2.0 */
#include "te_features.h"

#include "te_requantize.h"

void te_features_s8(const int16_t *values, uint32_t count, int32_t multiplier, int32_t shift, int32_t zero_point,
                    int8_t *result) {
  for (uint32_t i = 0; i < count; i++) {
    result[i] = te_output_s8(values[i], multiplier, shift, zero_point, INT8_MIN, INT8_MAX);
  }
}

void te_features_s16(const int16_t *values, uint32_t count, int32_t multiplier, int32_t shift, int32_t zero_point,
                     int16_t *result) {
  for (uint32_t i = 0; i < count; i++) {
    result[i] = te_clamp_s16(te_requantize(values[i], multiplier, shift) + zero_point, INT16_MIN, INT16_MAX);
  }
}
