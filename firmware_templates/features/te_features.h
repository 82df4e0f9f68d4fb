/* SPDX-License-Identifier: Apache-2.0 */
/* From the values of features to the integers that a network takes. */
#ifndef TE_FEATURES_H
#define TE_FEATURES_H

#include <stdint.h>

/* values  [count]
 * result  [count]: values times the real factor of (multiplier, shift) plus the zero point, saturated */
void te_features_s8(const int16_t *values, uint32_t count, int32_t multiplier, int32_t shift, int32_t zero_point,
                    int8_t *result);
void te_features_s16(const int16_t *values, uint32_t count, int32_t multiplier, int32_t shift, int32_t zero_point,
                     int16_t *result);

#endif
