/* SPDX-License-Identifier: Apache-2.0 */
/* Samples times a window. */
#ifndef TE_SIGNAL_WINDOW_H
#define TE_SIGNAL_WINDOW_H

#include <stdint.h>

typedef struct {
  uint32_t windows; /* pieces of the input, one behind the other */
  uint32_t size;    /* of each */
  uint32_t shift;   /* of products, to the right; at most 30 */
  const int16_t *weights;
} te_signal_window_params;

/* input   [windows][size]
 * output  [windows][size], saturated; may be the input */
void te_signal_window(const te_signal_window_params *p, const int16_t *input, int16_t *output);

#endif
