/* SPDX-License-Identifier: Apache-2.0 */
/* Largest or smallest values over some axes of an int8 tensor. */
#ifndef TE_REDUCE_EXTREMUM_S8_H
#define TE_REDUCE_EXTREMUM_S8_H

#include <stdint.h>

#include "te_reduce_axis.h"

typedef struct {
  te_reduce_axis kept[2];    /* in the order of the output, the second innermost; {1, 0} where there is none */
  te_reduce_axis reduced[2]; /* likewise */
  int8_t flip;               /* 0: the largest, -1: the smallest */
} te_reduce_extremum_params;

/* output  [kept[0].size][kept[1].size] */
void te_reduce_extremum_s8(const te_reduce_extremum_params *p, const int8_t *input, int8_t *output);

#endif
