/* SPDX-License-Identifier: Apache-2.0 */
/* Any function of one int8 value with results in float32, by a table of all 256. */
#ifndef TE_LOOKUP_F32_H
#define TE_LOOKUP_F32_H

#include <stdint.h>

/* output[i] = table[input[i] + 128] */
void te_lookup_f32(const float table[256], const int8_t *input, float *output, uint32_t elements);

#endif
