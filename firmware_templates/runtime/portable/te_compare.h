/* SPDX-License-Identifier: Apache-2.0 */
/* Comparisons of two tensors, element by element, with broadcasting. */
#ifndef TE_COMPARE_H
#define TE_COMPARE_H

#include <stdbool.h>
#include <stdint.h>

#include "te_broadcast.h"
#include "te_scaled.h"

/* Outcomes for which the result is true, added up. */
#define TE_WHEN_LESS 1
#define TE_WHEN_EQUAL 2
#define TE_WHEN_GREATER 4

typedef struct {
  te_broadcast shape;
  te_scaled_operand operands[2]; /* of int8 only */
  uint8_t when;                  /* the sum of TE_WHEN_... */
  uint8_t left_shift;            /* of int8 only */
} te_compare_params;

/* int8 on a common scale. output  [shape.sizes]; may be the same memory as an operand that is not broadcast */
void te_compare_s8(const te_compare_params *p, const int8_t *input1, const int8_t *input2, bool *output);

/* int32 and bool as they are. output  [shape.sizes]; of bool, as above */
void te_compare_s32(const te_compare_params *p, const int32_t *input1, const int32_t *input2, bool *output);
void te_compare_bool(const te_compare_params *p, const bool *input1, const bool *input2, bool *output);

#endif
