/* SPDX-License-Identifier: Apache-2.0 */
/* Armv7-M Architecture Reference Manual (DDI 0403), B2.2.7 cache maintenance and B4.8 cache identification. */
#include "te_cortex_m7_caches.h"

#include "te_registers.h"

#define CCR 0xE000ED14u
#define CCR_DC 0x00010000u
#define CCR_IC 0x00020000u
#define CCSIDR 0xE000ED80u
#define CSSELR 0xE000ED84u
#define CSSELR_LEVEL1_DATA 0u
#define ICIALLU 0xE000EF50u
#define DCISW 0xE000EF60u

#define BARRIER() __asm volatile("dsb\n\tisb" ::: "memory")

/* Lines are of 32 bytes, ways 4 at most: DCISW holds the set from bit 5 on and the way in its highest two bits. */
static void invalidate_data_cache(void) {
  REG32(CSSELR) = CSSELR_LEVEL1_DATA;
  BARRIER();
  const uint32_t id = REG32(CCSIDR);
  const uint32_t last_set = id >> 13 & 0x7FFFu;
  const uint32_t last_way = id >> 3 & 0x3FFu;
  for (uint32_t set = 0; set <= last_set; ++set) {
    for (uint32_t way = 0; way <= last_way; ++way) {
      REG32(DCISW) = set << 5 | way << 30;
    }
  }
}

void te_cortex_m7_start_caches(void) {
  if ((REG32(CCR) & CCR_IC) == 0) {
    REG32(ICIALLU) = 0;
    BARRIER();
    REG32(CCR) |= CCR_IC;
  }
  if ((REG32(CCR) & CCR_DC) == 0) { /* never invalidate a cache in use: what it alone holds would be lost */
    invalidate_data_cache();
    BARRIER();
    REG32(CCR) |= CCR_DC;
  }
  BARRIER();
}
