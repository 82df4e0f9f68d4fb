/* SPDX-License-Identifier: Apache-2.0 */
#include "te_conv_2d_pixels_unpacked.h"

/* In front of a run, how far back to jump in halves of code: 30 bytes, and 14 a weight. */
enum { JUMP = 15, JUMP_OF_A_WEIGHT = 7 };

/* The weights lie behind where they go, by as many bytes as there are jumps; so none is overwritten before it moves. */
static void insert_jumps(const te_conv_2d_pixels_unpacked_params *p, const uint8_t *from, uint8_t *to) {
  const uint8_t *runs = p->runs;
  for (uint32_t channel = p->conv.output_channels; channel > 0; channel--) {
    uint32_t run;
    while ((run = *runs++) != 0) {
      *to++ = (uint8_t)(0u - (JUMP + JUMP_OF_A_WEIGHT * run));
      do {
        *to++ = *from++;
      } while (--run);
    }
    *to++ = 0;
  }
}

void te_conv_2d_pixels_unpacked(const te_conv_2d_pixels_unpacked_params *p, const int8_t *input, int8_t *output,
                                void *scratch) {
  uint8_t *const stream = (uint8_t *)scratch + p->conv_bytes;
  uint8_t *const weights = stream + p->stream_bytes + TE_UNPACKED_AT_ONCE - p->packed.count;
  te_unpack(&p->packed, (int8_t *)weights);
  insert_jumps(p, weights, stream);
  te_conv_2d_pixels_params conv = p->conv;
  conv.weights = stream;
  te_conv_2d_pixels(&conv, input, output, scratch);
}
