/* SPDX-License-Identifier: Apache-2.0 */
/* RISC-V Instruction Set Manual, volume II, 3.1.10: it runs from reset. */
#include "te_mcycle.h"

__attribute__((noinline)) uint32_t te_bsp_cycles(void) {
  uint32_t cycles;
  __asm volatile("csrr %0, mcycle" : "=r"(cycles));
  return cycles;
}
