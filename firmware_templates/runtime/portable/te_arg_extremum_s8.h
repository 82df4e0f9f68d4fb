/* SPDX-License-Identifier: Apache-2.0 */
/* Where along an axis of an int8 tensor the largest or the smallest value stands first. */
#ifndef TE_ARG_EXTREMUM_S8_H
#define TE_ARG_EXTREMUM_S8_H

#include <stdint.h>

typedef struct {
  uint32_t outer;
  uint32_t size; /* of the axis */
  uint32_t inner;
  int8_t flip; /* 0: the largest, -1: the smallest */
} te_arg_extremum_params;

/* input   [outer][size][inner]
 * output  [outer][inner] */
void te_arg_extremum_s8(const te_arg_extremum_params *p, const int8_t *input, int32_t *output);

#endif
