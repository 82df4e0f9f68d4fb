/* SPDX-License-Identifier: Apache-2.0 */
/* SysTick counts 24 bits of the core's clock down; an interrupt at each turn adds the bits above: 32 bits in all.
 * Armv6-M Architecture Reference Manual (DDI 0419), B3.3 SysTick and B3.2.4 ICSR. */
#include "te_systick.h"

#include "te_bsp.h"
#include "te_registers.h"

#define SYST_CSR 0xE000E010u
#define SYST_CSR_ENABLE_TICKINT_CORE_CLOCK 7u
#define SYST_RVR 0xE000E014u
#define SYST_CVR 0xE000E018u
#define ICSR 0xE000ED04u
#define ICSR_PENDSTSET 0x04000000u
#define PERIOD_BITS 24
#define LAST 0x00FFFFFFu

void SysTick_Handler(void);

static volatile uint32_t turns;

void SysTick_Handler(void) {
  turns = turns + 1;
}

void te_systick_start(void) {
  REG32(SYST_RVR) = LAST;
  REG32(SYST_CVR) = 0;
  REG32(SYST_CSR) = SYST_CSR_ENABLE_TICKINT_CORE_CLOCK;
  __asm volatile("cpsie i" ::: "memory");
}

/* CVR is read once, as emulators take each read for one look at the counter. A turn that is pending while interrupts
 * are off counts if it came before that read, which then shows a count near the start of a period. */
__attribute__((noinline)) uint32_t te_bsp_cycles(void) {
  __asm volatile("cpsid i" ::: "memory");
  const uint32_t left = REG32(SYST_CVR);
  uint32_t above = turns;
  if ((REG32(ICSR) & ICSR_PENDSTSET) != 0 && left > LAST / 2) {
    ++above;
  }
  __asm volatile("cpsie i" ::: "memory");
  return (above << PERIOD_BITS) + (LAST - left);
}
