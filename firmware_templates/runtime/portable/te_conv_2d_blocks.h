/* SPDX-License-Identifier: Apache-2.0 */
/* 2-D convolution, int8, in blocks of some output channels by two neighbouring pixels, for cores without DSP
 * instructions: each weight and each input is loaded once for several products, and all sums stay in registers.
 *
 * A window is read as runs of bytes: the rows of the kernel, or its taps one by one if it is dilated. Where these are
 * short, or no multiple of TE_TAPS_AT_ONCE, the windows of two pixels are gathered first, each in one run. Where
 * windows reach outside the input, the rows they see are kept in a ring. */
#ifndef TE_CONV_2D_BLOCKS_H
#define TE_CONV_2D_BLOCKS_H

#include <stdint.h>

#include "te_blocks.h"
#include "te_requantize_short.h"
#include "te_row_ring.h"

typedef struct {
  uint16_t rows; /* of a window */
  uint16_t per_row;
  uint16_t bytes; /* each */
} te_runs;

typedef struct {
  te_row_ring ring;
  te_runs runs;         /* as they lie in the image */
  te_runs read;         /* as they are multiplied: the same, or one run, filled up with weights of 0 */
  uint16_t rows, width; /* of the output; an image whose windows are single pixels may be one long row */
  uint16_t output_channels;
  uint16_t stride_h;
  uint16_t step; /* bytes from a pixel's window to that of its right neighbour */
  uint16_t dilation_h;
  uint16_t gathered_bytes;   /* of a window; 0: windows are not gathered */
  uint16_t tap_bytes;        /* from a run to the next one in its row */
  uint32_t block_bytes;      /* weights of a block */
  const int8_t *weights;     /* [blocks][read.rows][read.per_row][read.bytes][channels of a block] */
  const int32_t *bias;       /* [output_channels], less the input's zero point times the sum of the weights */
  const int32_t *multiplier; /* [output_channels] */
  const uint8_t *shift;      /* [output_channels], as te_short_output_s8 takes it */
  te_output_range range;
} te_conv_2d_blocks_params;

/* Where the windows of two pixels are. */
typedef struct {
  const int8_t *rows;
  uint32_t at;       /* the first byte of the first window */
  uint32_t step;     /* from there to the second one's */
  uint32_t row_step; /* from one of its rows to the next, */
  uint32_t wrap;     /* less so much where that leaves the ring */
} te_window_pair;

/* The row of a window below. */
static inline uint32_t te_next_row(const te_window_pair *windows, uint32_t at) {
  at += windows->row_step;
  return at >= windows->wrap ? at - windows->wrap : at;
}

/* Copy the windows of a pair, one behind the other. */
static inline void te_gather_pair(const te_conv_2d_blocks_params *p, const te_window_pair *windows, int8_t *to) {
  uint32_t first = windows->at;
  for (int32_t pixel = 0; pixel < 2; pixel++) {
    int8_t *place = to;
    uint32_t at = first;
    for (uint32_t row = p->runs.rows; row > 0; row--) {
      const int8_t *run = windows->rows + at;
      for (uint32_t left = p->runs.per_row; left > 0; left--) {
        memcpy(place, run, p->runs.bytes);
        place += p->runs.bytes;
        run += p->tap_bytes;
      }
      at = te_next_row(windows, at);
    }
    first += windows->step;
    to += p->gathered_bytes;
  }
}

/* All channels of two pixels, the outputs of the second one `output_step` bytes behind those of the first. */
typedef void te_pair_function(const te_conv_2d_blocks_params *p, const te_window_pair *windows, int8_t *output,
                              uint32_t output_step);

/* sums[channel][pixel] = bias[channel] + weights[channel] * window[pixel], for some channels from `weights` on */
typedef void te_block_function(const te_conv_2d_blocks_params *p, const te_window_pair *windows, const int8_t *weights,
                               const int32_t *bias, int32_t *sums);

/* A pair by blocks of `channels`. The last block overlaps the one before where they do not come out even. */
static inline void te_multiply_pair(const te_conv_2d_blocks_params *p, te_block_function *block, int32_t channels,
                                    const te_window_pair *windows, int8_t *output, uint32_t output_step) {
  const int32_t last_block = p->output_channels - channels;
  const te_output_range range = p->range;
  const int8_t *weights = p->weights;
  for (int32_t begin = 0; begin < p->output_channels; begin += channels) {
    int32_t sums[2 * 4];
    const int32_t channel = begin < last_block ? begin : last_block;
    const int32_t *multiplier = p->multiplier + channel;
    const uint8_t *shift = p->shift + channel;
    int8_t *to = output + channel;
    block(p, windows, weights, p->bias + channel, sums);
    for (const int32_t *sum = sums; sum != sums + 2 * channels; sum += 2) {
      to[0] = te_short_output_s8(sum[0], *multiplier, *shift, range.zero_point, range.min, range.max);
      to[output_step] = te_short_output_s8(sum[1], *multiplier++, *shift++, range.zero_point, range.min, range.max);
      to++;
    }
    weights += p->block_bytes;
  }
}

static inline void te_conv_2d_blocks(const te_conv_2d_blocks_params *p, te_pair_function *multiply_pair,
                                     const int8_t *input, int8_t *output, void *scratch) {
  const te_row_ring *const r = &p->ring;
  int32_t loaded = 0;
  te_window_pair windows = {input, 0, 0, (uint32_t)p->dilation_h * r->pitch, UINT32_MAX};
  int8_t *const ring = (int8_t *)scratch + 2 * p->gathered_bytes;
  if (r->rows) {
    te_clear_ring(r, ring);
    windows.rows = ring;
    windows.wrap = (uint32_t)r->rows * r->pitch;
  }
  for (int32_t y = 0; y < p->rows; y++) {
    int32_t row = y * p->stride_h;
    if (r->rows) {
      loaded = te_fill_ring(r, input, ring, row, loaded);
      row %= r->rows;
    }
    windows.at = (uint32_t)row * r->pitch;
    for (int32_t left = p->width; left > 0; left -= 2) {
      const uint32_t two = left > 1;
      const uint32_t output_step = two ? p->output_channels : 0;
      windows.step = two ? p->step : 0;
      te_window_pair read = windows;
      if (p->gathered_bytes) {
        te_gather_pair(p, &windows, (int8_t *)scratch);
        read.rows = (const int8_t *)scratch;
        read.at = 0;
        read.step = p->gathered_bytes;
      }
      multiply_pair(p, &read, output, output_step);
      windows.at += 2u * p->step;
      output += p->output_channels + output_step;
    }
  }
}

#endif
