/* SPDX-License-Identifier: Apache-2.0 */
#include "te_rows.h"

#include "te_requantize.h"

void te_rows_slide(void *to, uint32_t by, uint32_t bytes) {
  uint32_t *target = (uint32_t *)to;
  const uint32_t *source = target + by / 4;
  uint32_t words = bytes / 4;
  for (; words >= 4; words -= 4) {
    const uint32_t a = source[0];
    const uint32_t b = source[1];
    const uint32_t c = source[2];
    const uint32_t d = source[3];
    source += 4;
    target[0] = a;
    target[1] = b;
    target[2] = c;
    target[3] = d;
    target += 4;
  }
  for (; words > 0; words--) {
    *target++ = *source++;
  }
}

void te_rows_add_s8(const int8_t *rows, int32_t *sums, uint32_t cells, uint32_t channels) {
  uint32_t channel = 0;
  for (; channel + 4 <= channels; channel += 4) {
    const int8_t *x = rows + channel;
    int32_t s0 = sums[channel];
    int32_t s1 = sums[channel + 1];
    int32_t s2 = sums[channel + 2];
    int32_t s3 = sums[channel + 3];
    for (uint32_t i = cells; i > 0; i--) {
      s0 += x[0];
      s1 += x[1];
      s2 += x[2];
      s3 += x[3];
      x += channels;
    }
    sums[channel] = s0;
    sums[channel + 1] = s1;
    sums[channel + 2] = s2;
    sums[channel + 3] = s3;
  }
  for (; channel < channels; channel++) {
    const int8_t *x = rows + channel;
    for (uint32_t i = cells; i > 0; i--) {
      sums[channel] += *x;
      x += channels;
    }
  }
}

void te_rows_average_s8(const int32_t *sums, uint32_t channels, int32_t cells, int32_t low, int32_t high,
                        int8_t *output) {
  for (uint32_t i = 0; i < channels; i++) {
    const int32_t half = sums[i] < 0 ? -(cells / 2) : cells / 2;
    const int32_t mean = (sums[i] + half) / cells;
    output[i] = (int8_t)(mean < low ? low : mean > high ? high : mean);
  }
}

void te_rows_rescale_s8(const int32_t *sums, uint32_t channels, int32_t offset, int32_t multiplier, int32_t shift,
                        int32_t zero_point, int8_t *output) {
  for (uint32_t i = 0; i < channels; i++) {
    output[i] = te_output_s8(sums[i] + offset, multiplier, shift, zero_point, INT8_MIN, INT8_MAX);
  }
}
