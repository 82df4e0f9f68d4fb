/* SPDX-License-Identifier: Apache-2.0 */
#include "te_resize_nearest.h"

#include <string.h>

void te_resize_nearest(const te_resize_nearest_params *p, const void *input, void *output) {
  const uint8_t *image = (const uint8_t *)input;
  uint8_t *to = (uint8_t *)output;
  for (uint32_t batch = 0; batch < p->batches; batch++) {
    for (uint32_t y = 0; y < p->output_h; y++) {
      const uint8_t *row = image + p->rows[y] * p->row_bytes;
      for (uint32_t x = 0; x < p->output_w; x++) {
        memmove(to, row + p->columns[x] * p->cell_bytes, p->cell_bytes);
        to += p->cell_bytes;
      }
    }
    image += p->image_bytes;
  }
}
