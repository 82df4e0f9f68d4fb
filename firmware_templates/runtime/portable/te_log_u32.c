/* SPDX-License-Identifier: Apache-2.0 */
#include "te_log_u32.h"

#include "te_bits.h"
#include "te_log2.h"

enum { LN_2 = 45426 }; /* in Q16 */

uint32_t te_log_u32(uint32_t x, uint32_t scale) {
  const uint32_t whole = te_bit_length(x) - 1;
  const uint32_t rest = x - (UINT32_C(1) << whole);
  const uint32_t fraction = whole < 16 ? rest << (16 - whole) : rest >> (whole - 16);
  const uint32_t segment = fraction >> 9;
  const int32_t low = te_log2_bends[segment];
  const int32_t bend = low + (((te_log2_bends[segment + 1] - low) * (int32_t)(fraction & 0x1FFu)) >> 16);
  const uint32_t log2 = (whole << 16) + fraction + (uint32_t)bend;
  const uint32_t natural = (uint32_t)(((uint64_t)LN_2 * log2 + (1u << 15)) >> 16);
  return (scale * natural + (1u << 15)) >> 16;
}
