/* SPDX-License-Identifier: Apache-2.0 */
#include "te_fully_connected_blocks.h"

#include "te_blocks.h"

#define OUTPUTS 4

/* Products of tap `i`. */
#define TAP(i)                                                                                                         \
  {                                                                                                                    \
    const int32_t v = x[i];                                                                                            \
    s0 += w[OUTPUTS * i] * v;                                                                                          \
    s1 += w[OUTPUTS * i + 1] * v;                                                                                      \
    s2 += w[OUTPUTS * i + 2] * v;                                                                                      \
    s3 += w[OUTPUTS * i + 3] * v;                                                                                      \
    TE_NO_LOADS_AHEAD();                                                                                               \
  }

/* A function of its own, so that its loop has the registers to itself. */
static __attribute__((noinline)) void block(const int8_t *x, const int8_t *end, const int8_t *w, const int32_t *bias,
                                            int32_t *sums) {
  int32_t s0 = bias[0];
  int32_t s1 = bias[1];
  int32_t s2 = bias[2];
  int32_t s3 = bias[3];
  do {
    TAP(0)
    TAP(1)
    TAP(2)
    TAP(3)
    x += TE_TAPS_AT_ONCE;
    w += OUTPUTS * TE_TAPS_AT_ONCE;
  } while (x != end);
  sums[0] = s0;
  sums[1] = s1;
  sums[2] = s2;
  sums[3] = s3;
}

void te_fully_connected_blocks(const te_fully_connected_blocks_params *p, const int8_t *input, int8_t *output) {
  const te_output_range range = p->range;
  const int32_t last_block = p->outputs - OUTPUTS;
  for (int32_t batch = p->batches; batch > 0; batch--) {
    const int8_t *const end = input + p->inputs;
    const int8_t *weights = p->weights;
    for (int32_t begin = 0; begin < p->outputs; begin += OUTPUTS) {
      const int32_t first = begin < last_block ? begin : last_block;
      int32_t sums[OUTPUTS];
      block(input, end, weights, p->bias + first, sums);
      for (int32_t i = 0; i < OUTPUTS; i++) {
        const int32_t scale = (first + i) * p->per_output;
        output[first + i] =
            te_short_output_s8(sums[i], p->multiplier[scale], p->shift[scale], range.zero_point, range.min, range.max);
      }
      weights += OUTPUTS * p->inputs;
    }
    input = end;
    output += p->outputs;
  }
}
