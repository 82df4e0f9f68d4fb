/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of an image that windows see, with the border around them, in a ring that moves down the image.
 *
 * Reading them needs no care for what lies outside. Rows are counted from the first one of the first window on. */
#ifndef TE_ROW_RING_H
#define TE_ROW_RING_H

#include <stdint.h>
#include <string.h>

typedef struct {
  uint16_t input_rows;
  uint16_t row_bytes; /* of the input */
  uint16_t rows;      /* that a window spans; 0: windows are inside, and the input is read in place */
  uint16_t pitch;     /* bytes from a row to the next */
  uint16_t left;      /* bytes of border in front of a row */
  uint16_t pad_top;
  int8_t padding; /* what the border reads as */
} te_row_ring;

/* Fill the ring with border. */
static inline void te_clear_ring(const te_row_ring *r, int8_t *ring) {
  memset(ring, r->padding, (size_t)r->rows * r->pitch);
}

/* Bring in what the ring lacks of the rows [first, first + rows); all below `loaded` were brought in already. */
static inline int32_t te_fill_ring(const te_row_ring *r, const int8_t *input, int8_t *ring, int32_t first,
                                   int32_t loaded) {
  loaded = loaded < first ? first : loaded;
  for (; loaded < first + r->rows; loaded++) {
    int8_t *const place = ring + loaded % r->rows * r->pitch + r->left;
    const int32_t row = loaded - r->pad_top;
    if (row >= 0 && row < r->input_rows) {
      memcpy(place, input + row * r->row_bytes, r->row_bytes);
    } else {
      memset(place, r->padding, r->row_bytes);
    }
  }
  return loaded;
}

#endif
