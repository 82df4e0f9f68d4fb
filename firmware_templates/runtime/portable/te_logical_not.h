/* SPDX-License-Identifier: Apache-2.0 */
/* Not of bool tensors. */
#ifndef TE_LOGICAL_NOT_H
#define TE_LOGICAL_NOT_H

#include <stdbool.h>
#include <stdint.h>

/* Output may be the same memory as input. */
void te_logical_not(const bool *input, bool *output, uint32_t elements);

#endif
