/* SPDX-License-Identifier: Apache-2.0 */
#include "te_conv_2d_4x2.h"

#include <string.h>

/* Bring the input's row `at` (it may lie outside) into its place in the ring. The border is there already. */
static void load_row(const te_conv_4x2_params *p, const int8_t *input, int32_t at, int8_t *place) {
  if (at >= 0 && at < p->input_rows) {
    memcpy(place + p->ring_left, input + at * p->row_bytes, p->row_bytes);
  } else {
    memset(place, p->input_zero_point, p->ring_pitch);
  }
}

void te_conv_2d_4x2(const te_conv_4x2_params *p, const int8_t *input, int8_t *output, void *scratch) {
  const uint32_t segments = (uint32_t)p->kernel_rows * p->segments_per_row;
  te_conv_4x2_row row;
  row.segment_count = segments;
  row.segment_words = p->segment_words;
  row.panel = (int16_t *)scratch;
  row.panel_end = row.panel + 8 * p->segment_words * segments;
  row.segments = (const int8_t **)(void *)row.panel_end;
  int8_t *const ring = (int8_t *)(row.segments + segments);
  row.weights = p->weights;
  row.weights_end = p->weights + p->weights_bytes;
  row.overlap = (0u - p->output_channels) & 3u;
  row.weights_last = row.overlap ? row.weights_end - p->group_bytes : row.weights_end;
  row.zero_point = p->output_zero_point;
  row.output = output;
  memset(ring, p->input_zero_point, (size_t)p->ring_rows * p->ring_pitch);

  int32_t loaded = 0; /* rows with border are counted from the first one of the first window on */
  for (int32_t y = 0; y < p->rows; y++) {
    const int32_t first = y * p->stride_h;
    loaded = loaded < first ? first : loaded;
    for (; loaded < first + p->ring_rows; loaded++) {
      load_row(p, input, loaded - p->pad_top, ring + loaded % p->ring_rows * p->ring_pitch);
    }
    const int8_t **segment = row.segments;
    for (int32_t tap = 0; tap < p->kernel_rows; tap++) {
      const int32_t at = first + tap * p->dilation_h;
      const int8_t *begin = p->ring_rows ? ring + at % p->ring_rows * p->ring_pitch : input + at * p->row_bytes;
      for (uint32_t i = 0; i < p->segments_per_row; i++) {
        *segment++ = begin;
        begin += p->tap_bytes;
      }
    }
    row.step = p->step;
    row.output_step = p->output_channels;
    row.pairs = p->width / 2;
    if (row.pairs) {
      p->run(&row);
    }
    row.output += 2 * row.pairs * p->output_channels;
    if (p->width & 1) { /* a pair of one pixel with itself, where nothing is made for one */
      row.step = 0;
      row.output_step = 0;
      row.pairs = 1;
      (p->run_odd ? p->run_odd : p->run)(&row);
      row.output += p->output_channels;
    }
  }
}
