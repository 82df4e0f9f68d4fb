/* SPDX-License-Identifier: Apache-2.0 */
/* Places of bits. */
#ifndef TE_BITS_H
#define TE_BITS_H

#include <stdint.h>

/* The place of the highest bit that is set, from 1; x is not 0. */
static inline uint32_t te_bit_length(uint32_t x) {
  return 32u - (uint32_t)__builtin_clz(x);
}

#endif
