/* SPDX-License-Identifier: Apache-2.0 */
/* Values of features made comparable: each less its mean, over its deviation. */
#ifndef TE_NORMALIZE_H
#define TE_NORMALIZE_H

#include <stdint.h>

/* centers                 [channels]; null: values stay as they are
 * multipliers, shifts     [channels]: of the factor, as te_requantize takes them */
typedef struct {
  const int16_t *centers;
  const int32_t *multipliers;
  const int8_t *shifts;
} te_normalize_params;

/* (value - center) * factor, saturated to int16. */
void te_normalize(const te_normalize_params *p, uint32_t channels, int16_t *values);

#endif
