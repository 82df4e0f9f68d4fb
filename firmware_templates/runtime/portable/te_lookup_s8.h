/* SPDX-License-Identifier: Apache-2.0 */
/* Any function of one int8 value, by a table of its 256 results. */
#ifndef TE_LOOKUP_S8_H
#define TE_LOOKUP_S8_H

#include <stdint.h>

/* output[i] = table[input[i] + 128]; output may be the same memory as input. */
void te_lookup_s8(const int8_t table[256], const int8_t *input, int8_t *output, uint32_t elements);

#endif
