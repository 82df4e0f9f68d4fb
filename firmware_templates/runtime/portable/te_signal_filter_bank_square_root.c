/* SPDX-License-Identifier: Apache-2.0 */
#include "te_signal_filter_bank_square_root.h"

#include "te_bits.h"

static uint32_t root_of_word(uint32_t x) {
  if (x == 0) {
    return 0;
  }
  uint32_t root = 0;
  for (uint32_t bit = UINT32_C(1) << ((te_bit_length(x) - 1) & ~1u); bit != 0; bit >>= 2) {
    const uint32_t trial = root + bit;
    root >>= 1;
    if (x >= trial) {
      x -= trial;
      root += bit;
    }
  }
  return x > root && root != UINT16_MAX ? root + 1 : root;
}

uint32_t te_square_root(uint64_t x) {
  const uint32_t high = (uint32_t)(x >> 32);
  if (high == 0) {
    return root_of_word((uint32_t)x);
  }
  uint64_t root = 0;
  for (uint64_t bit = UINT64_C(1) << (32 + ((te_bit_length(high) - 1) & ~1u)); bit != 0; bit >>= 2) {
    const uint64_t trial = root + bit;
    root >>= 1;
    if (x >= trial) {
      x -= trial;
      root += bit;
    }
  }
  return (uint32_t)(x > root && root != UINT32_MAX ? root + 1 : root);
}

void te_signal_filter_bank_square_root(const uint64_t *input, uint32_t count, uint32_t bits, uint32_t *output) {
  for (uint32_t i = 0; i < count; i++) {
    output[i] = te_square_root(input[i]) >> (bits & 31u);
  }
}
