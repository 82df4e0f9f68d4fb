/* SPDX-License-Identifier: Apache-2.0 */
/* Weights that are compressed in flash, unpacked to a byte each. */
#ifndef TE_UNPACK_H
#define TE_UNPACK_H

#include <stdint.h>

enum { TE_UNPACKED_AT_ONCE = 8 };

typedef struct {
  const uint8_t *stream; /* indices, the first in the lowest bits; or a bit for each weight, then those not 0 */
  const int8_t *values;  /* 1 << bits of them that weights can have */
  uint32_t count;        /* of weights, a multiple of TE_UNPACKED_AT_ONCE */
  uint8_t bits;          /* of an index: 2 to 4; 0: the stream begins with a bitmap */
} te_packed;

void te_unpack(const te_packed *packed, int8_t *to);

#endif
