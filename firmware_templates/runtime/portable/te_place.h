/* SPDX-License-Identifier: Apache-2.0 */
/* Where a box lies in a tensor when that is known at run time only. */
#ifndef TE_PLACE_H
#define TE_PLACE_H

#include <stdint.h>

/* Bytes from the first element of a tensor to that of a box in it; a box that would leave the tensor is moved inside.
 *
 * axes   [count][2]: the last index where the box may begin, and bytes from one index to the next
 * begin  [count] */
uint32_t te_place(const int32_t *axes, uint32_t count, const int32_t *begin);

#endif
