/* SPDX-License-Identifier: Apache-2.0 */
/* Square roots of uint64, shifted right. */
#ifndef TE_SIGNAL_FILTER_BANK_SQUARE_ROOT_H
#define TE_SIGNAL_FILTER_BANK_SQUARE_ROOT_H

#include <stdint.h>

/* To the nearest whole number; at most 65535 of what is below 2^32. */
uint32_t te_square_root(uint64_t x);

/* output  [count], apart from the input
 * bits    in [0, 31] */
void te_signal_filter_bank_square_root(const uint64_t *input, uint32_t count, uint32_t bits, uint32_t *output);

#endif
