/* SPDX-License-Identifier: Apache-2.0 */
/* Functions in 32-bit fixed point, as gemmlowp defines them. Qm.n: m integer and n fractional bits besides the sign. */
#ifndef TE_FIXED_POINT_H
#define TE_FIXED_POINT_H

#include <stdint.h>

/* 1 / (1 + x) in Q0.31 for x in [0, 1), Q0.31. */
int32_t te_fixed_point_reciprocal(int32_t x);

/* Leading zeros, 32 for 0. */
int32_t te_fixed_point_zeros(uint32_t x);

#endif
