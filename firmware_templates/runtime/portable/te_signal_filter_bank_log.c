/* SPDX-License-Identifier: Apache-2.0 */
#include "te_signal_filter_bank_log.h"

#include "te_log_u32.h"

void te_signal_filter_bank_log(const uint32_t *input, uint32_t count, uint32_t scale, uint32_t bits, int16_t *output) {
  for (uint32_t i = 0; i < count; i++) {
    const uint32_t shifted = input[i] << bits;
    const uint32_t value = shifted > 1 ? te_log_u32(shifted, scale) : 0;
    output[i] = (int16_t)(value < INT16_MAX ? value : INT16_MAX);
  }
}
