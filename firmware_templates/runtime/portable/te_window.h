/* SPDX-License-Identifier: Apache-2.0 */
/* The geometry of a 2-D sliding window, shared by convolutions and pooling. Sizes in elements, rows first. */
#ifndef TE_WINDOW_H
#define TE_WINDOW_H

#include <stdint.h>

typedef struct {
  uint16_t input_h, input_w;
  uint16_t output_h, output_w;
  uint16_t kernel_h, kernel_w;
  uint16_t stride_h, stride_w;
  uint16_t dilation_h, dilation_w;
  uint16_t pad_top, pad_left; /* rows and columns outside the input before the first window */
} te_window;

/* The taps [begin, end) of a window that lie inside the input, along one axis. */
typedef struct {
  int32_t begin, end;
} te_taps;

/* Clip `taps` taps, `dilation` apart from `origin` on, to [0, size). Few steps: only taps that are outside are walked.
 */
static inline te_taps te_clip_taps(int32_t origin, int32_t taps, int32_t dilation, int32_t size) {
  te_taps inside = {0, taps};
  int32_t last = origin + (taps - 1) * dilation;
  while (inside.begin < inside.end && origin < 0) {
    origin += dilation;
    inside.begin++;
  }
  while (inside.begin < inside.end && last >= size) {
    last -= dilation;
    inside.end--;
  }
  return inside;
}

#endif
