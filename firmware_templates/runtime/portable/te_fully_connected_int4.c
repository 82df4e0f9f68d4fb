/* SPDX-License-Identifier: Apache-2.0 */
#include "te_fully_connected_int4.h"

#include "te_blocks.h"
#include "te_int4_lanes.h"

#define OUTPUTS 4

/* Products of tap `i`. */
#define TAP(i)                                                                                                         \
  {                                                                                                                    \
    const uint32_t v = (uint32_t)(int32_t)x[i];                                                                        \
    a += te_int4_tap(first, i) * v;                                                                                    \
    b += te_int4_tap(second, i) * v;                                                                                   \
    TE_NO_LOADS_AHEAD();                                                                                               \
  }

/* A function of its own, so that its loop has the registers to itself. Returns the end of the block's weights. */
static __attribute__((noinline)) const uint32_t *block(const int8_t *x, const int8_t *end, const uint32_t *w,
                                                       int32_t *sums) {
  do {
    const int8_t *const stop = end - x > TE_TAPS_IN_LANES ? x + TE_TAPS_IN_LANES : end;
    uint32_t a = 0, b = 0;
    do {
      const uint32_t first = w[0];
      const uint32_t second = w[1];
      TAP(0)
      TAP(1)
      TAP(2)
      TAP(3)
      x += TE_TAPS_AT_ONCE;
      w += 2;
    } while (x != stop);
    te_add_lanes(sums, 1, a);
    te_add_lanes(sums + 2, 1, b);
  } while (x != end);
  return w;
}

void te_fully_connected_int4(const te_fully_connected_blocks_params *p, const int8_t *input, int8_t *output) {
  const te_output_range range = p->range;
  const int32_t last_block = p->outputs - OUTPUTS;
  for (int32_t batch = p->batches; batch > 0; batch--) {
    const int8_t *const end = input + p->inputs;
    const uint32_t *weights = (const uint32_t *)(const void *)p->weights;
    int32_t start = 0;
    for (const int8_t *x = input; x != end; x += TE_TAPS_AT_ONCE) {
      start -= 8 * (x[0] + x[1] + x[2] + x[3]);
    }
    for (int32_t begin = 0; begin < p->outputs; begin += OUTPUTS) {
      const int32_t first = begin < last_block ? begin : last_block;
      int32_t sums[OUTPUTS];
      for (int32_t i = 0; i < OUTPUTS; i++) {
        sums[i] = p->bias[first + i] + start;
      }
      weights = block(input, end, weights, sums);
      for (int32_t i = 0; i < OUTPUTS; i++) {
        const int32_t scale = (first + i) * p->per_output;
        output[first + i] =
            te_short_output_s8(sums[i], p->multiplier[scale], p->shift[scale], range.zero_point, range.min, range.max);
      }
    }
    input = end;
    output += p->outputs;
  }
}
