/* SPDX-License-Identifier: Apache-2.0 */
#include "te_signal_fft_auto_scale.h"

#include "te_bits.h"

int32_t te_signal_scale_bits(const int16_t *input, uint32_t count) {
  int32_t largest = 0;
  for (uint32_t i = 0; i < count; i++) {
    const int32_t value = input[i];
    if (value > largest) {
      largest = value;
    } else if (-value > largest) {
      largest = (int16_t)-value; /* -32768 stays negative */
    }
  }
  return largest <= 0 ? 0 : 15 - (int32_t)te_bit_length((uint32_t)largest);
}

void te_signal_fft_auto_scale(const int16_t *input, uint32_t count, int16_t *output, int32_t *bits) {
  const int32_t left = te_signal_scale_bits(input, count);
  for (uint32_t i = 0; i < count; i++) {
    output[i] = (int16_t)(input[i] * (1 << left));
  }
  *bits = left;
}
