/* SPDX-License-Identifier: Apache-2.0 */
/* Nordic nRF52: crystal, UARTE, DWT cycle counter. The core runs at 64 MHz from reset.
 *
 * Addresses and values: nRF52840 Product Specification v1.7 (4.3 NVMC, 4.8 debug, 5.4 CLOCK, 6.9 GPIO); the nRF52833
 * has the same registers (v1.5). */
#include "te_board.h"
#include "te_bsp.h"
#include "te_registers.h"
#include "te_dwt.h"
#include "te_sleep.h"
#include "te_uarte.h"

#define CLOCK_TASKS_HFCLKSTART 0x40000000u
#define CLOCK_EVENTS_HFCLKSTARTED 0x40000100u
#define APPROTECT_DISABLE 0x40000558u
#define APPROTECT_DISABLE_KEY 0x5Au
#define NVMC_ICACHECNF 0x4001E540u
#define GPIO_OUTSET(port) REG32(0x50000508u + 0x300u * (port))
#define GPIO_DIRSET(port) REG32(0x50000518u + 0x300u * (port))

#if TE_CLOCK_HZ != 64000000
#error "the clock of an nRF52 is 64 MHz"
#endif

static void start_crystal(void) {
  REG32(CLOCK_EVENTS_HFCLKSTARTED) = 0;
  REG32(CLOCK_TASKS_HFCLKSTART) = 1;
  WAIT_UNTIL(REG32(CLOCK_EVENTS_HFCLKSTARTED) != 0);
}

void te_bsp_init(void) {
  REG32(APPROTECT_DISABLE) = APPROTECT_DISABLE_KEY;          /* keeps the debug port open for the next flashing */
  REG32(NVMC_ICACHECNF) = 1;                                 /* the cache is off after reset */
  start_crystal();                                           /* the RC oscillator is too far off for a serial line */
  GPIO_OUTSET(TE_CONSOLE_TX_PORT) = 1u << TE_CONSOLE_TX_PIN; /* idle is high, also before the UARTE drives the pin */
  GPIO_DIRSET(TE_CONSOLE_TX_PORT) = 1u << TE_CONSOLE_TX_PIN;
  te_uarte_start();
  te_dwt_start();
}
