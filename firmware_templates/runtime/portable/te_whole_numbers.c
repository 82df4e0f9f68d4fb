/* SPDX-License-Identifier: Apache-2.0 */
#include "te_whole_numbers.h"

TE_ELEMENTWISE(te_whole_numbers_add, te_pair_params, int32_t, int32_t, (uint32_t)x + (uint32_t)y)
TE_ELEMENTWISE(te_whole_numbers_sub, te_pair_params, int32_t, int32_t, (uint32_t)x - (uint32_t)y)
TE_ELEMENTWISE(te_whole_numbers_mul, te_pair_params, int32_t, int32_t, ((uint32_t)x * (uint32_t)y))
