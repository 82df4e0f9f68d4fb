/* SPDX-License-Identifier: Apache-2.0 */
/* Sums, differences, products and quotients of int32, tensor by tensor, with broadcasting. */
#ifndef TE_WHOLE_NUMBERS_H
#define TE_WHOLE_NUMBERS_H

#include <stdint.h>

#include "te_broadcast.h"

/* output  [shape.sizes], modulo 2^32; may be the same memory as an operand that is not broadcast */
void te_whole_numbers_add(const te_pair_params *p, const int32_t *input1, const int32_t *input2, int32_t *output);
void te_whole_numbers_sub(const te_pair_params *p, const int32_t *input1, const int32_t *input2, int32_t *output);
void te_whole_numbers_mul(const te_pair_params *p, const int32_t *input1, const int32_t *input2, int32_t *output);

/* The same, cut towards zero; 0 for a divisor of 0 */
void te_whole_numbers_div(const te_pair_params *p, const int32_t *input1, const int32_t *input2, int32_t *output);

#endif
