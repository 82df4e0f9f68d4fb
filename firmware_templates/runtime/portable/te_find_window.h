/* SPDX-License-Identifier: Apache-2.0 */
/* The input under a sliding window as one run of bytes, whatever the type of the elements. */
#ifndef TE_FIND_WINDOW_H
#define TE_FIND_WINDOW_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "te_window.h"

typedef struct {
  const te_window *window;
  int32_t cell_bytes; /* of all channels of an input cell */
  int32_t depth;      /* bytes of a cell that the window sees: the channels of one group */
  int32_t padding;    /* what each byte outside the input reads as */
} te_view;

/* Copy one row of a window's taps, `depth` bytes each. */
static void te_copy_row(const te_view *v, const int8_t *row, int32_t origin_x, int8_t *to) {
  const te_window *w = v->window;
  const int32_t depth = v->depth;
  const te_taps taps = te_clip_taps(origin_x, w->kernel_w, w->dilation_w, w->input_w);
  const size_t left = (size_t)(taps.begin * depth);
  const size_t inside = (size_t)((taps.end - taps.begin) * depth);
  const size_t right = (size_t)((w->kernel_w - taps.end) * depth);
  const int32_t step = w->dilation_w * v->cell_bytes;
  const int8_t *from = row + origin_x * v->cell_bytes + taps.begin * step;
  memset(to, v->padding, left);
  to += left;
  if (step == depth) {
    memcpy(to, from, inside);
  } else {
    for (int32_t tap = taps.begin; tap < taps.end; tap++) {
      for (int32_t i = 0; i < depth; i++) {
        to[i] = from[i];
      }
      to += depth;
      from += step;
    }
    to -= inside;
  }
  memset(to + inside, v->padding, right);
}

/* The window of output (y, x): gathered in `buffer`, or found in place where there is none. */
static inline const void *te_find_window(const te_view *v, const void *input, int32_t y, int32_t x, void *buffer) {
  const te_window *w = v->window;
  const int32_t row_bytes = w->input_w * v->cell_bytes;
  const int32_t origin_x = x * w->stride_w - w->pad_left;
  int32_t input_y = y * w->stride_h - w->pad_top;
  const int8_t *from = (const int8_t *)input;
  if (buffer == NULL) {
    return from + input_y * row_bytes + origin_x * v->cell_bytes;
  }
  int8_t *to = (int8_t *)buffer;
  for (int32_t tap = 0; tap < w->kernel_h; tap++) {
    if (input_y >= 0 && input_y < w->input_h) {
      te_copy_row(v, from + input_y * row_bytes, origin_x, to);
    } else {
      memset(to, v->padding, (size_t)(w->kernel_w * v->depth));
    }
    to += w->kernel_w * v->depth;
    input_y += w->dilation_h;
  }
  return buffer;
}

#endif
