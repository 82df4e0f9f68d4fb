/* SPDX-License-Identifier: Apache-2.0 */
#include "te_move.h"

#include <string.h>

/* The runs along one axis. */
static void move_row(const int32_t *axis, uint32_t run, const uint8_t *input, uint8_t *output) {
  const int32_t input_step = axis[1];
  const int32_t output_step = axis[2];
  int32_t from = 0;
  int32_t to = 0;
  if (run == 1) {
    for (int32_t left = axis[0]; left > 0; left--) {
      output[to] = input[from];
      from += input_step;
      to += output_step;
    }
    return;
  }
  for (int32_t left = axis[0]; left > 0; left--) {
    memmove(output + to, input + from, run);
    from += input_step;
    to += output_step;
  }
}

void te_move(const int32_t *axes, uint32_t count, uint32_t run, const void *input, void *output) {
  int32_t at[TE_MOVE_AXES] = {0};
  const uint8_t *source = (const uint8_t *)input;
  uint8_t *target = (uint8_t *)output;
  int32_t from = 0;
  int32_t to = 0;
  for (;;) {
    move_row(axes + 3 * (count - 1), run, source + from, target + to);
    uint32_t axis = count - 1;
    for (;;) { /* count on along the outer axes, like an odometer */
      if (axis == 0) {
        return;
      }
      const int32_t *outer = axes + 3 * --axis;
      from += outer[1];
      to += outer[2];
      if (++at[axis] < outer[0]) {
        break;
      }
      from -= outer[0] * outer[1];
      to -= outer[0] * outer[2];
      at[axis] = 0;
    }
  }
}
