/* SPDX-License-Identifier: Apache-2.0 */
#include "te_signal_pcan.h"

#include "te_bits.h"

enum { SNR_BITS = 12, OUTPUT_BITS = 6 };

static int32_t gain_of(uint32_t noise, const int16_t *gains) {
  if (noise <= 2) {
    return gains[noise];
  }
  const uint32_t interval = te_bit_length(noise);
  const int16_t *part = gains + 4 * interval - 6;
  const uint32_t fraction = (interval < 11 ? noise << (11 - interval) : noise >> (interval - 11)) & 0x3FFu;
  const int32_t slope = ((part[2] * (int32_t)fraction) >> 5) + part[1] * 32;
  return (int16_t)(((int32_t)((uint32_t)slope * fraction + (1u << 14)) >> 15) + part[0]);
}

void te_signal_pcan(const int16_t *gains, uint32_t shift, uint32_t channels, const uint32_t *signal,
                    const uint32_t *noise, uint32_t *output) {
  for (uint32_t i = 0; i < channels; i++) {
    const uint32_t gain = (uint32_t)gain_of(noise[i], gains);
    const uint32_t snr = (uint32_t)(((uint64_t)signal[i] * gain) >> shift);
    output[i] = snr < 2u << SNR_BITS ? (snr * snr) >> (2 + 2 * SNR_BITS - OUTPUT_BITS)
                                     : (snr >> (SNR_BITS - OUTPUT_BITS)) - (1u << OUTPUT_BITS);
  }
}
