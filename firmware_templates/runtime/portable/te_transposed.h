/* SPDX-License-Identifier: Apache-2.0 */
/* What transposed convolutions share: which inputs reach an output along one axis. */
#ifndef TE_TRANSPOSED_H
#define TE_TRANSPOSED_H

#include <stdint.h>

/* Along one axis input i reaches the outputs from i * stride - pad on, one for each element of the kernel. */
typedef struct {
  uint16_t input;
  uint16_t output;
  uint16_t kernel;
  uint16_t stride;
  uint16_t pad;
} te_transposed_axis;

/* The inputs that reach one output along an axis: from `first` on `count` of them, the first through kernel element
 * `tap`, each further one through the element a stride below. */
typedef struct {
  int32_t first;
  int32_t count;
  int32_t tap;
} te_reach;

static inline te_reach te_reach_of(const te_transposed_axis *axis, int32_t output) {
  const int32_t place = output + axis->pad;
  const int32_t beyond = place - axis->kernel; /* the last input whose kernel ends before the output */
  const int32_t first = beyond < 0 ? 0 : beyond / axis->stride + 1;
  const int32_t most = place / axis->stride;
  const int32_t last = most < axis->input ? most : axis->input - 1;
  const te_reach reach = {first, last < first ? 0 : last - first + 1, place - first * axis->stride};
  return reach;
}

#endif
