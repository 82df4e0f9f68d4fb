/* SPDX-License-Identifier: Apache-2.0 */
#include "te_whole_numbers.h"

TE_ELEMENTWISE(te_add_s32, te_pair_params, int32_t, int32_t, (uint32_t)x + (uint32_t)y)
TE_ELEMENTWISE(te_sub_s32, te_pair_params, int32_t, int32_t, (uint32_t)x - (uint32_t)y)
TE_ELEMENTWISE(te_mul_s32, te_pair_params, int32_t, int32_t, (uint32_t)x * (uint32_t)y)
