/* SPDX-License-Identifier: Apache-2.0 */
/* te_conv_2d_pixels with a stream of weights that is compressed in flash and unpacked into scratch before. */
#ifndef TE_CONV_2D_PIXELS_UNPACKED_H
#define TE_CONV_2D_PIXELS_UNPACKED_H

#include "te_conv_2d_pixels.h"
#include "te_unpack.h"

typedef struct {
  te_conv_2d_pixels_params conv; /* but for the weights */
  te_packed packed;
  const uint8_t *runs;   /* lengths of runs of weights, channel by channel, a 0 behind the last of each */
  uint32_t stream_bytes; /* of weights with a jump in front of each run */
  uint32_t conv_bytes;   /* of scratch, for te_conv_2d_pixels */
} te_conv_2d_pixels_unpacked_params;

/* scratch  conv_bytes, then stream_bytes and TE_UNPACKED_AT_ONCE more; aligned to 4 bytes */
void te_conv_2d_pixels_unpacked(const te_conv_2d_pixels_unpacked_params *p, const int8_t *input, int8_t *output,
                                void *scratch);

#endif
