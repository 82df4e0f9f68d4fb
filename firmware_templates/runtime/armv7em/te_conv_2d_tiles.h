/* SPDX-License-Identifier: Apache-2.0 */
/* te_conv_2d_4x2 with weights that are compressed in flash: some groups of four channels at a time are unpacked into
 * scratch, then all pixels of these channels are computed. */
#ifndef TE_CONV_2D_TILES_H
#define TE_CONV_2D_TILES_H

#include <stdint.h>

#include "te_conv_2d_4x2.h"

/* Unpacks so many words of weights, two channels in each half; up to six words behind them may be overwritten.
 *
 * table  by index the halves a + 256 b
 * Returns what follows in the stream. */
typedef const uint8_t *te_unpack_words(uint32_t *words, const uint8_t *stream, const uint16_t *table, uint32_t count);

typedef struct {
  te_conv_4x2_params conv; /* `run` leaves out channels of other tiles; weights are filled in tile by tile */
  te_unpack_words *unpack;
  const uint32_t *fixed; /* by groups of four channels: four words in front of their weights, eight behind */
  const uint8_t *stream;
  const int8_t *values;  /* 1 << value_bits of them that weights can have */
  uint16_t groups;       /* of four channels */
  uint16_t tile_groups;  /* at most, in a tile */
  uint16_t weight_words; /* of a group */
  uint16_t conv_bytes;   /* of scratch, for te_conv_2d_4x2 */
  uint8_t value_bits;    /* 0: weights are no indices */
} te_conv_2d_tiles_params;

/* scratch  in this order: conv_bytes, tile_groups * (12 + weight_words) words, 1 << 2 * value_bits halves unless
 *          value_bits is 0; aligned to 4 bytes, as are input and output */
void te_conv_2d_tiles(const te_conv_2d_tiles_params *p, const int8_t *input, int8_t *output, void *scratch);

#endif
