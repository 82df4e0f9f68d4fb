/* SPDX-License-Identifier: Apache-2.0 */
/* The cycle counter. Armv7-M Architecture Reference Manual (DDI 0403), C1.6.5 DEMCR and C1.8 DWT. */
#include "te_dwt.h"

#include "te_bsp.h"
#include "te_registers.h"

#define DEMCR 0xE000EDFCu
#define DEMCR_TRCENA 0x01000000u
#define DWT_CTRL 0xE0001000u
#define DWT_CTRL_CYCCNTENA 1u
#define DWT_CYCCNT 0xE0001004u
#define DWT_LAR 0xE0001FB0u
#define DWT_LAR_KEY 0xC5ACCE55u

void te_dwt_start(void) {
  REG32(DEMCR) |= DEMCR_TRCENA;
  REG32(DWT_LAR) = DWT_LAR_KEY; /* a Cortex-M7 locks the unit against the program; others ignore this */
  REG32(DWT_CYCCNT) = 0;
  REG32(DWT_CTRL) |= DWT_CTRL_CYCCNTENA;
}

__attribute__((noinline)) uint32_t te_bsp_cycles(void) {
  return REG32(DWT_CYCCNT);
}
