/* SPDX-License-Identifier: Apache-2.0 */
/* Logarithms of channels. */
#ifndef TE_SIGNAL_FILTER_BANK_LOG_H
#define TE_SIGNAL_FILTER_BANK_LOG_H

#include <stdint.h>

/* output  [count]: ln(input * 2^bits) * scale, at most 32767; 0 where the shifted input is 0 or 1
 * bits    in [0, 31]; what leaves 32 bits is lost */
void te_signal_filter_bank_log(const uint32_t *input, uint32_t count, uint32_t scale, uint32_t bits, int16_t *output);

#endif
