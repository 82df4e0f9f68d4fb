/* SPDX-License-Identifier: Apache-2.0 */
/* What the poolings of int16 have in common. */
#ifndef TE_POOL_2D_S16_H
#define TE_POOL_2D_S16_H

#include <stdint.h>

#include "te_window.h"

typedef struct {
  te_window window; /* every window has a cell inside the input; at most 65535 cells; dilation 1 */
  uint16_t channels;
  int16_t activation_min;
  int16_t activation_max;
} te_pool_2d_s16_params;

/* The cells of one window that are inside the input. */
typedef struct {
  int32_t first; /* the first of them, in elements of the input, without the channel */
  int32_t rows;
  int32_t columns;
} te_patch_s16;

static inline te_patch_s16 te_patch_at(const te_pool_2d_s16_params *p, int32_t y, int32_t x) {
  const te_window *w = &p->window;
  const int32_t origin_y = y * w->stride_h - w->pad_top;
  const int32_t origin_x = x * w->stride_w - w->pad_left;
  const te_taps rows = te_clip_taps(origin_y, w->kernel_h, 1, w->input_h);
  const te_taps columns = te_clip_taps(origin_x, w->kernel_w, 1, w->input_w);
  const int32_t first = ((origin_y + rows.begin) * w->input_w + origin_x + columns.begin) * p->channels;
  const te_patch_s16 patch = {first, rows.end - rows.begin, columns.end - columns.begin};
  return patch;
}

static inline int16_t te_clamp_activation(const te_pool_2d_s16_params *p, int32_t x) {
  x = x < p->activation_min ? p->activation_min : x;
  return (int16_t)(x > p->activation_max ? p->activation_max : x);
}

#endif
