/* SPDX-License-Identifier: Apache-2.0 */
#include "te_conv_2d_pixels.h"

#include <string.h>

/* Where the next output pixel's window is. Rows are counted from the first one of the first window on. */
typedef struct {
  uint32_t x;     /* in its row */
  uint32_t row;   /* first row of the window */
  uint32_t slot;  /* of that row */
  uint32_t slots; /* rows of the memory that windows are read from: those of the ring, or endless */
} position;

static void advance(const te_conv_2d_pixels_params *p, position *at) {
  at->x++;
  if (at->x == p->width) {
    at->x = 0;
    at->row += p->stride_h;
    at->slot += p->stride_h;
    while (at->slot >= at->slots) {
      at->slot -= at->slots;
    }
  }
}

/* Bring the input's row `row` (it may lie outside) into its place in the ring. The border is there already. */
static void load_row(const te_conv_2d_pixels_params *p, const int8_t *input, int32_t row, int8_t *place) {
  if (row >= 0 && row < p->input_rows) {
    memcpy(place + p->ring_left, input + row * p->row_bytes, p->row_bytes);
  } else {
    memset(place, p->input_zero_point, p->ring_pitch);
  }
}

/* Gather the windows of a group: a segment of all its pixels at a time. */
static void gather(const te_conv_2d_pixels_params *p, const position *at, const int8_t *base, int32_t *to) {
  const uint32_t pitch = p->ring_rows ? p->ring_pitch : p->row_bytes;
  for (uint32_t row = 0, down = 0; row < p->kernel_rows; row++, down += p->dilation_h) {
    const int8_t *pixels[TE_CONV_2D_PIXELS];
    for (uint32_t i = 0; i < p->at_once; i++) {
      uint32_t slot = at[i].slot + down;
      slot = slot < at[i].slots ? slot : slot - at[i].slots;
      pixels[i] = base + slot * pitch + at[i].x * p->step;
    }
    for (uint32_t left = p->segments_per_row; left; left--) {
      to = p->pack(pixels, to, p->segment_bytes);
      for (uint32_t i = 0; i < p->at_once; i++) {
        pixels[i] += p->tap_bytes;
      }
    }
  }
}

void te_conv_2d_pixels(const te_conv_2d_pixels_params *p, const int8_t *input, int8_t *output, void *scratch) {
  int32_t *const panel = (int32_t *)scratch;
  int8_t *const ring = (int8_t *)(panel + p->panel_words);
  te_conv_2d_group group;
  group.panel = panel;
  group.scales = p->scales;
  group.channels = p->output_channels;
  group.weights = p->weights;
  memset(ring, p->input_zero_point, (size_t)p->ring_rows * p->ring_pitch);

  position next = {0, 0, 0, p->ring_rows ? p->ring_rows : UINT32_MAX};
  uint32_t loaded = 0, loaded_slot = 0;
  for (uint32_t left = p->pixels; left;) {
    position at[TE_CONV_2D_PIXELS];
    uint32_t rows = 0;
    for (uint32_t i = 0; i < p->at_once; i++) {
      if (left) {
        at[i] = next;
        group.outputs[i] = output;
        rows = next.row + p->window_rows;
        output += p->output_channels;
        left--;
        advance(p, &next);
      } else {
        at[i] = at[i - 1];
        group.outputs[i] = group.outputs[i - 1];
      }
    }
    if (p->ring_rows) {
      for (; loaded < rows; loaded++) {
        load_row(p, input, (int32_t)loaded - p->pad_top, ring + loaded_slot * p->ring_pitch);
        loaded_slot = loaded_slot + 1 < p->ring_rows ? loaded_slot + 1 : 0;
      }
    }
    gather(p, at, p->ring_rows ? ring : input, panel);
    p->run(&group);
  }
}
