/* SPDX-License-Identifier: Apache-2.0 */
/* Nested copies with strides: what slicing, transposing, joining, splitting and the like come down to. */
#ifndef TE_MOVE_H
#define TE_MOVE_H

#include <stdint.h>

#define TE_MOVE_AXES 6

/* Copy runs of bytes, one for every combination of indices, the last axis innermost.
 *
 * axes    [count][3]: indices along the axis, and bytes from one to the next in the input and in the output, which may
 *         be negative, or 0 to repeat; count in [1, TE_MOVE_AXES]
 * run     bytes copied at once
 * output  may overlap the input from below, as far as writing in this order spares what is yet to be read */
void te_move(const int32_t *axes, uint32_t count, uint32_t run, const void *input, void *output);

#endif
