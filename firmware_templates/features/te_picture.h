/* SPDX-License-Identifier: Apache-2.0 */
/* A camera's picture, cropped, resized and in the colours of a network. */
#ifndef TE_PICTURE_H
#define TE_PICTURE_H

#include <stdint.h>

#define TE_PICTURE_WEIGHT_BITS 12

/* Of a picture's bytes: one for each pixel; three, red first; two of 5, 6 and 5 bits, the high byte first or last; or
 * two pixels in four bytes: Y U Y V, or U Y V Y. */
enum { TE_PICTURE_GREY, TE_PICTURE_RGB, TE_PICTURE_RGB565, TE_PICTURE_RGB565_LITTLE, TE_PICTURE_YUYV, TE_PICTURE_UYVY };

/* One axis of a resize: out[i] is the sum of taps in[starts[i] + t] * weights[i * taps + t].
 *
 * starts   [size]
 * weights  [size][taps], Q0.12, each sum 4096 */
typedef struct {
  uint32_t size;
  uint32_t taps;
  const uint16_t *starts;
  const uint16_t *weights;
} te_picture_axis;

/* width   of the camera's picture, in pixels
 * colors  1: grey, 3: red, green and blue
 * factor, offset  a value is factor * pixel + offset */
typedef struct {
  uint32_t format;
  uint32_t width;
  uint32_t colors;
  te_picture_axis rows;
  te_picture_axis columns;
  int32_t factor;
  int32_t offset;
} te_picture_params;

/* samples  the camera's picture
 * values   [rows.size][columns.size][colors] */
void te_picture_frame(const te_picture_params *p, void *state, void *scratch, const uint8_t *samples, int16_t *values);

#endif
