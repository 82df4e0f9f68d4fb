/* SPDX-License-Identifier: Apache-2.0 */
/* Element-wise sum of two int16 tensors, with broadcasting. */
#ifndef TE_ADD_S16_H
#define TE_ADD_S16_H

#include <stdint.h>

#include "te_sum.h"

/* output  [shape.sizes]; may be the same memory as an operand that is not broadcast */
void te_add_s16(const te_sum_params *p, const int16_t *input1, const int16_t *input2, int16_t *output);

#endif
