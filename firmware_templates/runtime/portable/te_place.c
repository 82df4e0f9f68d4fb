/* SPDX-License-Identifier: Apache-2.0 */
#include "te_place.h"

uint32_t te_place(const int32_t *axes, uint32_t count, const int32_t *begin) {
  uint32_t bytes = 0;
  for (uint32_t axis = 0; axis < count; axis++) {
    const int32_t most = axes[2 * axis];
    const int32_t at = begin[axis] < 0 ? 0 : begin[axis] > most ? most : begin[axis];
    bytes += (uint32_t)at * (uint32_t)axes[2 * axis + 1];
  }
  return bytes;
}
