/* SPDX-License-Identifier: Apache-2.0 */
/* For each element one of two, as a condition says, with broadcasting. */
#ifndef TE_SELECT_H
#define TE_SELECT_H

#include <stdbool.h>
#include <stdint.h>

#include "te_broadcast.h"

/* The operands are the condition, what stands where it is true, and what stands elsewhere.
 *
 * output  [shape.sizes]; may be the same memory as an operand of its type that is not broadcast, the one of int8 also
 * as the condition */
void te_select_s8(const te_pair_params *p, const bool *condition, const int8_t *input1, const int8_t *input2,
                  int8_t *output);
void te_select_s16(const te_pair_params *p, const bool *condition, const int16_t *input1, const int16_t *input2,
                   int16_t *output);
void te_select_f32(const te_pair_params *p, const bool *condition, const float *input1, const float *input2,
                   float *output);

#endif
