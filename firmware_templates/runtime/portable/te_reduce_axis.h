/* SPDX-License-Identifier: Apache-2.0 */
/* An axis that a reduction goes through. */
#ifndef TE_REDUCE_AXIS_H
#define TE_REDUCE_AXIS_H

#include <stdint.h>

/* An axis, or neighbouring axes merged: its size, and the elements of the input from one index to the next. */
typedef struct {
  uint32_t size;
  int32_t step;
} te_reduce_axis;

#endif
