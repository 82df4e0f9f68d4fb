/* SPDX-License-Identifier: Apache-2.0 */
/* And, or of bool tensors, with broadcasting. */
#ifndef TE_LOGICAL_H
#define TE_LOGICAL_H

#include <stdbool.h>
#include <stdint.h>

#include "te_broadcast.h"

/* output  [shape.sizes]; may be the same memory as an operand that is not broadcast */
void te_logical_and(const te_pair_params *p, const bool *input1, const bool *input2, bool *output);
void te_logical_or(const te_pair_params *p, const bool *input1, const bool *input2, bool *output);

#endif
