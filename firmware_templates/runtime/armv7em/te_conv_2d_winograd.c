/* SPDX-License-Identifier: Apache-2.0 */
#include "te_conv_2d_winograd.h"

enum { RING_ROWS = 4, STRIP = 8 /* columns of four tiles */, POINTS_A_ROW = 4, SUMS = 128 };

static void fill(int16_t *to, int32_t count, int16_t value) {
  for (int32_t i = 0; i < count; i++) {
    to[i] = value;
  }
}

/* int8 to int16, the four values of a word in the order 0, 2, 1, 3, in which SXTB16 delivers them. */
static void widen(const int8_t *from, int16_t *to, int32_t count) {
  const uint32_t *word = (const uint32_t *)(const void *)from;
  uint32_t *pair = (uint32_t *)(void *)to;
  for (int32_t i = 0; i < count; i += 4) {
    const uint32_t four = *word++;
    uint32_t even, odd;
    __asm("sxtb16 %0, %1" : "=r"(even) : "r"(four));
    __asm("sxtb16 %0, %1, ror #8" : "=r"(odd) : "r"(four));
    *pair++ = even;
    *pair++ = odd;
  }
}

/* Bring the input's row `at` (it may lie outside) into its place in the ring. The border is there already. */
static void load_row(const te_conv_winograd_params *p, const int8_t *input, int32_t at, int16_t *place) {
  if (at >= 0 && at < p->input_rows) {
    widen(input + at * p->row_bytes, place + p->pad_left * p->channels, p->row_bytes);
  } else {
    fill(place, p->ring_pitch, p->input_zero_point);
  }
}

/* A strip of four tiles from column `x` on: all 16 points of all channels, then all output channels. */
static void run_strip(const te_conv_winograd_params *p, const int16_t *const *rows, int32_t x, int16_t *points,
                      int8_t *output) {
  const int32_t at = x * p->channels;
  const int32_t row_points = POINTS_A_ROW * 4 * p->channels; /* four tiles of each point */
  p->rows_difference(rows[0] + at, rows[2] + at, points);
  p->rows_sum(rows[1] + at, rows[2] + at, points + row_points);
  p->rows_difference(rows[2] + at, rows[1] + at, points + 2 * row_points);
  p->rows_difference(rows[1] + at, rows[3] + at, points + 3 * row_points);
  int32_t *const sums = (int32_t *)(void *)(points + POINTS_A_ROW * row_points);
  const uint32_t *weights = p->weights;
  output += x * p->output_channels;
  for (int32_t channel = 0; channel < p->output_channels; channel += 2) {
    p->products(points, weights, sums);
    weights += p->pair_words;
    p->outputs(sums, weights - p->factor_words, output + channel, p->output_zero_point);
  }
}

void te_conv_2d_winograd(const te_conv_winograd_params *p, const int8_t *input, int8_t *output, void *scratch) {
  int16_t *const ring = (int16_t *)scratch;
  int16_t *const points = ring + RING_ROWS * p->ring_pitch;
  fill(ring, RING_ROWS * p->ring_pitch, p->input_zero_point);
  int32_t loaded = 0; /* rows with border are counted from the first one of the first window on */
  for (int32_t row = 0; row < p->output_rows; row += 2) {
    /* Tiles do not reach beyond the last row or column: they rather overlap those before. */
    const int32_t y = row > p->output_rows - 2 ? p->output_rows - 2 : row;
    for (; loaded < y + RING_ROWS; loaded++) {
      load_row(p, input, loaded - p->pad_top, ring + loaded % RING_ROWS * p->ring_pitch);
    }
    const int16_t *rows[RING_ROWS];
    for (int32_t i = 0; i < RING_ROWS; i++) {
      rows[i] = ring + (y + i) % RING_ROWS * p->ring_pitch;
    }
    int8_t *const output_row = output + y * p->output_columns * p->output_channels;
    for (int32_t column = 0; column < p->output_columns; column += STRIP) {
      const int32_t last = p->output_columns - STRIP;
      run_strip(p, rows, column > last ? last : column, points, output_row);
    }
  }
}
