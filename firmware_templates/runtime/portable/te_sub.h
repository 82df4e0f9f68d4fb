/* SPDX-License-Identifier: Apache-2.0 */
/* Element-wise differences of two int8 or int16 tensors, with broadcasting. */
#ifndef TE_SUB_H
#define TE_SUB_H

#include <stdint.h>

#include "te_sum.h"

/* output  [shape.sizes]; may be the same memory as an operand that is not broadcast */
void te_sub_s8(const te_sum_params *p, const int8_t *input1, const int8_t *input2, int8_t *output);
void te_sub_s16(const te_sum_params *p, const int16_t *input1, const int16_t *input2, int16_t *output);

#endif
