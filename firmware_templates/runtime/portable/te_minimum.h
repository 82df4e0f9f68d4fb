/* SPDX-License-Identifier: Apache-2.0 */
/* The smaller of two elements, tensor by tensor, with broadcasting. */
#ifndef TE_MINIMUM_H
#define TE_MINIMUM_H

#include <stdint.h>

#include "te_broadcast.h"

/* output  [shape.sizes]; may be the same memory as an operand that is not broadcast */
void te_minimum_s8(const te_pair_params *p, const int8_t *input1, const int8_t *input2, int8_t *output);
void te_minimum_s16(const te_pair_params *p, const int16_t *input1, const int16_t *input2, int16_t *output);
void te_minimum_s32(const te_pair_params *p, const int32_t *input1, const int32_t *input2, int32_t *output);

#endif
