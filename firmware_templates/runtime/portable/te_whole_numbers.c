/* SPDX-License-Identifier: Apache-2.0 */
#include "te_whole_numbers.h"

/* Cut towards zero; 0 for a divisor of 0. INT32_MIN by -1 leaves int32. */
static uint32_t quotient(int32_t x, int32_t y) {
  return y == 0 ? 0 : y == -1 ? 0 - (uint32_t)x : (uint32_t)(x / y);
}

TE_ELEMENTWISE(te_whole_numbers_add, te_pair_params, int32_t, int32_t, (uint32_t)x + (uint32_t)y)
TE_ELEMENTWISE(te_whole_numbers_sub, te_pair_params, int32_t, int32_t, (uint32_t)x - (uint32_t)y)
TE_ELEMENTWISE(te_whole_numbers_mul, te_pair_params, int32_t, int32_t, ((uint32_t)x * (uint32_t)y))
TE_ELEMENTWISE(te_whole_numbers_div, te_pair_params, int32_t, int32_t, quotient(x, y))
