/* SPDX-License-Identifier: Apache-2.0 */
#include "te_conv_2d_tiles.h"

#include <string.h>

enum { WORDS_IN_FRONT = 4, WORDS_BEHIND = 8, FIXED_WORDS = WORDS_IN_FRONT + WORDS_BEHIND };

/* By two indices, that of `a` in the lower bits, the half a + 256 b. */
static void fill_table(uint16_t *table, const int8_t *values, uint32_t count) {
  for (uint32_t b = 0; b < count; b++) {
    const uint32_t high = (uint32_t)(int32_t)values[b] << 8;
    for (uint32_t a = 0; a < count; a++) {
      *table++ = (uint16_t)(high + (uint32_t)(int32_t)values[a]);
    }
  }
}

void te_conv_2d_tiles(const te_conv_2d_tiles_params *p, const int8_t *input, int8_t *output, void *scratch) {
  const uint32_t group_words = FIXED_WORDS + p->weight_words;
  uint32_t *const tile = (uint32_t *)(void *)((uint8_t *)scratch + p->conv_bytes);
  uint16_t *const table = (uint16_t *)(void *)(tile + p->tile_groups * group_words);
  if (p->value_bits) {
    fill_table(table, p->values, 1u << p->value_bits);
  }
  te_conv_4x2_params conv = p->conv;
  conv.weights = (const uint8_t *)tile;
  const uint32_t *fixed = p->fixed;
  const uint8_t *stream = p->stream;
  for (uint32_t left = p->groups; left > 0;) {
    const uint32_t groups = left < p->tile_groups ? left : p->tile_groups;
    uint32_t *words = tile;
    for (uint32_t i = 0; i < groups; i++) {
      memcpy(words, fixed, WORDS_IN_FRONT * sizeof *words);
      stream = p->unpack(words + WORDS_IN_FRONT, stream, table, p->weight_words);
      words += WORDS_IN_FRONT + p->weight_words;
      memcpy(words, fixed + WORDS_IN_FRONT, WORDS_BEHIND * sizeof *words);
      words += WORDS_BEHIND;
      fixed += FIXED_WORDS;
    }
    conv.weights_bytes = groups * conv.group_bytes;
    te_conv_2d_4x2(&conv, input, output, scratch);
    output += 4 * groups;
    left -= groups;
  }
}
