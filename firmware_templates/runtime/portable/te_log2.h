/* SPDX-License-Identifier: Apache-2.0 */
/* Logarithms to base 2. */
#ifndef TE_LOG2_H
#define TE_LOG2_H

#include <stdint.h>

/* log2(1 + x) - x in Q16, x in 128 steps from 0 to 1, and one value more. */
extern const uint16_t te_log2_bends[130];

/* log2(x) in Q16, to within 2 steps; 0 for 0. */
uint32_t te_log2_u64(uint64_t x);

#endif
