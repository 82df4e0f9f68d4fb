/* SPDX-License-Identifier: Apache-2.0 */
#include "te_conv_2d_blocks_int4.h"

#include "te_int4_lanes.h"

#define CHANNELS 4

/* Two windows, and what their sums begin with beside the bias: -8 times the sum of each. */
typedef struct {
  te_window_pair windows;
  int32_t start[2];
} offset_pair;

/* Products of tap `i`. */
#define TAP(i)                                                                                                         \
  {                                                                                                                    \
    const uint32_t u = (uint32_t)(int32_t)x[i];                                                                        \
    const uint32_t v = (uint32_t)(int32_t)y[i];                                                                        \
    uint32_t k = te_int4_tap(first, i);                                                                                \
    a0 += k * u;                                                                                                       \
    a1 += k * v;                                                                                                       \
    k = te_int4_tap(second, i);                                                                                        \
    b0 += k * u;                                                                                                       \
    b1 += k * v;                                                                                                       \
    TE_NO_LOADS_AHEAD();                                                                                               \
  }

/* A function of its own, so that its loop has the registers to itself. */
static __attribute__((noinline)) void block(const te_conv_2d_blocks_params *p, const te_window_pair *windows,
                                            const int8_t *weights, const int32_t *bias, int32_t *sums) {
  const offset_pair *pair = (const offset_pair *)(const void *)windows;
  const uint32_t *w = (const uint32_t *)(const void *)weights;
  const uint32_t step = windows->step;
  uint32_t at = windows->at;
  for (int32_t channel = 0; channel < CHANNELS; channel++) {
    sums[2 * channel] = bias[channel] + pair->start[0];
    sums[2 * channel + 1] = bias[channel] + pair->start[1];
  }
  for (uint32_t row = p->read.rows; row > 0; row--) {
    const int8_t *begin = windows->rows + at;
    for (uint32_t run = p->read.per_row; run > 0; run--) {
      const int8_t *x = begin;
      const int8_t *y = begin + step;
      const int8_t *const end = begin + p->read.bytes;
      do {
        const int8_t *const stop = end - x > TE_TAPS_IN_LANES ? x + TE_TAPS_IN_LANES : end;
        uint32_t a0 = 0, a1 = 0, b0 = 0, b1 = 0;
        do {
          const uint32_t first = w[0];
          const uint32_t second = w[1];
          TAP(0)
          TAP(1)
          TAP(2)
          TAP(3)
          x += TE_TAPS_AT_ONCE;
          y += TE_TAPS_AT_ONCE;
          w += 2;
        } while (x != stop);
        te_add_lanes(sums, 2, a0);
        te_add_lanes(sums + 1, 2, a1);
        te_add_lanes(sums + 4, 2, b0);
        te_add_lanes(sums + 5, 2, b1);
      } while (x != end);
      begin += p->tap_bytes;
    }
    at = te_next_row(windows, at);
  }
}

/* The sum of a window that begins at byte `at`. */
static int32_t add_up(const te_conv_2d_blocks_params *p, const te_window_pair *windows, uint32_t at) {
  int32_t sum = 0;
  for (uint32_t row = p->read.rows; row > 0; row--) {
    const int8_t *begin = windows->rows + at;
    for (uint32_t run = p->read.per_row; run > 0; run--) {
      for (const int8_t *x = begin; x != begin + p->read.bytes; x += TE_TAPS_AT_ONCE) {
        sum += x[0] + x[1] + x[2] + x[3];
      }
      begin += p->tap_bytes;
    }
    at = te_next_row(windows, at);
  }
  return sum;
}

static void multiply_pair(const te_conv_2d_blocks_params *p, const te_window_pair *windows, int8_t *output,
                          uint32_t output_step) {
  offset_pair pair = {*windows, {0, 0}};
  pair.start[0] = -8 * add_up(p, windows, windows->at);
  pair.start[1] = -8 * add_up(p, windows, windows->at + windows->step);
  te_multiply_pair(p, block, CHANNELS, &pair.windows, output, output_step);
}

void te_conv_2d_blocks_int4(const te_conv_2d_blocks_params *p, const int8_t *input, int8_t *output, void *scratch) {
  te_conv_2d_blocks(p, multiply_pair, input, output, scratch);
}
