/* SPDX-License-Identifier: Apache-2.0 */
#include "te_unpack.h"

static void unpack_values(const te_packed *p, int8_t *to) {
  const int8_t *const values = p->values;
  const uint32_t bits = p->bits;
  const uint32_t mask = (1u << bits) - 1;
  const uint8_t *stream = p->stream;
  for (const int8_t *const end = to + p->count; to != end; to += TE_UNPACKED_AT_ONCE) {
    uint32_t indices = stream[0] | (uint32_t)stream[1] << 8;
    if (bits > 2) {
      indices |= (uint32_t)stream[2] << 16;
    }
    if (bits > 3) {
      indices |= (uint32_t)stream[3] << 24;
    }
    stream += bits;
    for (int32_t i = 0; i < TE_UNPACKED_AT_ONCE; i += 4) {
      to[i] = values[indices & mask];
      to[i + 1] = values[(indices >>= bits) & mask];
      to[i + 2] = values[(indices >>= bits) & mask];
      to[i + 3] = values[(indices >>= bits) & mask];
      indices >>= bits;
    }
  }
}

static void unpack_bitmap(const te_packed *p, int8_t *to) {
  const uint8_t *bitmap = p->stream;
  const uint8_t *next = bitmap + p->count / TE_UNPACKED_AT_ONCE;
  for (const int8_t *const end = to + p->count; to != end; to += TE_UNPACKED_AT_ONCE) {
    uint32_t bits = *bitmap++;
    for (int32_t i = 0; i < TE_UNPACKED_AT_ONCE; i++) {
      to[i] = (bits & 1) ? (int8_t)*next++ : 0;
      bits >>= 1;
    }
  }
}

void te_unpack(const te_packed *packed, int8_t *to) {
  if (packed->bits) {
    unpack_values(packed, to);
  } else {
    unpack_bitmap(packed, to);
  }
}
