/* SPDX-License-Identifier: Apache-2.0 */
#include "te_maximum.h"

TE_ELEMENTWISE(te_maximum_s8, te_pair_params, int8_t, int8_t, x > y ? x : y)
TE_ELEMENTWISE(te_maximum_s16, te_pair_params, int16_t, int16_t, x > y ? x : y)
TE_ELEMENTWISE(te_maximum_s32, te_pair_params, int32_t, int32_t, x > y ? x : y)
