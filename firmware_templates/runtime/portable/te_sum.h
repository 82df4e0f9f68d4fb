/* SPDX-License-Identifier: Apache-2.0 */
/* What sums and differences of two tensors have in common. */
#ifndef TE_SUM_H
#define TE_SUM_H

#include "te_broadcast.h"
#include "te_scaled.h"

typedef struct {
  te_broadcast shape;
  te_scaled_operand operands[2];
  te_scaled_output output; /* its shift is in [-31, 0] */
  uint8_t left_shift;
} te_sum_params;

#endif
