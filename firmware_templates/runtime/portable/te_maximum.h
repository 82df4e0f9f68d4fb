/* SPDX-License-Identifier: Apache-2.0 */
/* The larger of two elements, tensor by tensor, with broadcasting. */
#ifndef TE_MAXIMUM_H
#define TE_MAXIMUM_H

#include <stdint.h>

#include "te_broadcast.h"

/* output  [shape.sizes]; may be the same memory as an operand that is not broadcast */
void te_maximum_s8(const te_pair_params *p, const int8_t *input1, const int8_t *input2, int8_t *output);
void te_maximum_s16(const te_pair_params *p, const int16_t *input1, const int16_t *input2, int16_t *output);
void te_maximum_s32(const te_pair_params *p, const int32_t *input1, const int32_t *input2, int32_t *output);

#endif
