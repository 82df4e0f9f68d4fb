/* SPDX-License-Identifier: Apache-2.0 */
#include "te_conv_2d_blocks_4x2.h"

#define CHANNELS 4

/* Products of tap `i`. */
#define TAP(i)                                                                                                         \
  {                                                                                                                    \
    const int32_t u = x[i];                                                                                            \
    const int32_t v = y[i];                                                                                            \
    int32_t k = w[CHANNELS * i];                                                                                       \
    a0 += k * u;                                                                                                       \
    b0 += k * v;                                                                                                       \
    k = w[CHANNELS * i + 1];                                                                                           \
    a1 += k * u;                                                                                                       \
    b1 += k * v;                                                                                                       \
    TE_NO_LOADS_AHEAD();                                                                                               \
    k = w[CHANNELS * i + 2];                                                                                           \
    a2 += k * u;                                                                                                       \
    b2 += k * v;                                                                                                       \
    k = w[CHANNELS * i + 3];                                                                                           \
    a3 += k * u;                                                                                                       \
    b3 += k * v;                                                                                                       \
    TE_NO_LOADS_AHEAD();                                                                                               \
  }

/* A function of its own, so that its loop has the registers to itself. */
static __attribute__((noinline)) void block(const te_conv_2d_blocks_params *p, const te_window_pair *windows,
                                            const int8_t *w, const int32_t *bias, int32_t *sums) {
  const uint32_t step = windows->step;
  uint32_t at = windows->at;
  int32_t a0 = bias[0], b0 = a0;
  int32_t a1 = bias[1], b1 = a1;
  int32_t a2 = bias[2], b2 = a2;
  int32_t a3 = bias[3], b3 = a3;
  for (uint32_t row = p->read.rows; row > 0; row--) {
    const int8_t *begin = windows->rows + at;
    for (uint32_t run = p->read.per_row; run > 0; run--) {
      const int8_t *x = begin;
      const int8_t *y = begin + step;
      const int8_t *const end = begin + p->read.bytes;
      do {
        TAP(0)
        TAP(1)
        TAP(2)
        TAP(3)
        x += TE_TAPS_AT_ONCE;
        y += TE_TAPS_AT_ONCE;
        w += CHANNELS * TE_TAPS_AT_ONCE;
      } while (x != end);
      begin += p->tap_bytes;
    }
    at = te_next_row(windows, at);
  }
  sums[0] = a0;
  sums[1] = b0;
  sums[2] = a1;
  sums[3] = b1;
  sums[4] = a2;
  sums[5] = b2;
  sums[6] = a3;
  sums[7] = b3;
}

static void multiply_pair(const te_conv_2d_blocks_params *p, const te_window_pair *windows, int8_t *output,
                          uint32_t output_step) {
  te_multiply_pair(p, block, CHANNELS, windows, output, output_step);
}

void te_conv_2d_blocks_4x2(const te_conv_2d_blocks_params *p, const int8_t *input, int8_t *output, void *scratch) {
  te_conv_2d_blocks(p, multiply_pair, input, output, scratch);
}
