/* SPDX-License-Identifier: Apache-2.0 */
/* Two int4 in a byte, the first in its low half. */
#ifndef TE_INT4_H
#define TE_INT4_H

#include <stdint.h>

static inline int32_t te_low_int4(int32_t byte) {
  return (int32_t)((uint32_t)byte << 28) >> 28;
}

static inline int32_t te_high_int4(int8_t byte) {
  return byte >> 4;
}

#endif
