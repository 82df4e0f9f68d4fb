/* SPDX-License-Identifier: Apache-2.0 */
#include "te_selftest.h"

#include <string.h>

void te_selftest_bytes(void *input, uint32_t count, uint32_t *x) {
  uint8_t *bytes = (uint8_t *)input;
  for (uint32_t i = 0; i < count; ++i) {
    *x = *x * 1664525u + 1013904223u;
    bytes[i] = (uint8_t)(*x >> 24);
  }
}

void te_selftest_truth(void *input, uint32_t count) {
  uint8_t *at = (uint8_t *)input;
  for (uint32_t i = 0; i < count; ++i) {
    at[i] = at[i] & 1u;
  }
}

static int32_t drawn(const uint8_t *at, uint32_t values, int32_t first) {
  uint32_t bits;
  memcpy(&bits, at, sizeof bits);
  return (int32_t)(bits % values) + first;
}

void te_selftest_whole(void *input, uint32_t count, uint32_t values, int32_t first) {
  uint8_t *at = (uint8_t *)input;
  for (uint32_t i = 0; i < count; ++i, at += 4) {
    const int32_t value = drawn(at, values, first);
    memcpy(at, &value, sizeof value);
  }
}

void te_selftest_real(void *input, uint32_t count, uint32_t values, int32_t first, float scale) {
  uint8_t *at = (uint8_t *)input;
  for (uint32_t i = 0; i < count; ++i, at += 4) {
    const float value = (float)drawn(at, values, first) * scale;
    memcpy(at, &value, sizeof value);
  }
}

uint32_t te_selftest_crc(uint32_t crc, const void *data, uint32_t count) {
  const uint8_t *bytes = (const uint8_t *)data;
  crc = ~crc;
  for (uint32_t i = 0; i < count; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xedb88320u : 0u);
    }
  }
  return ~crc;
}
