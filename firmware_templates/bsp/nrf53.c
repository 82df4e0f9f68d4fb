/* SPDX-License-Identifier: Apache-2.0 */
/* Nordic nRF5340, application core in secure state as after reset: 128 MHz, cache, UARTE, DWT cycle counter.
 *
 * Addresses and values: nRF5340 Product Specification v1.3.1, 4.2 memory and instances, 5.4 CLOCK, 7.4 CACHE, 7.14
 * GPIO, 8.2 CTRL-AP, 7.41 UICR. */
#include "te_board.h"
#include "te_bsp.h"
#include "te_dwt.h"
#include "te_registers.h"
#include "te_sleep.h"
#include "te_uarte.h"

#define CACHE_ENABLE 0x50001500u
#define CLOCK(offset) REG32(0x50005000u + (offset))
#define TASKS_HFCLKSTART 0x000u
#define EVENTS_HFCLKSTARTED 0x100u
#define HFCLKCTRL 0x558u
#define HFCLKCTRL_128_MHZ 0u
#define CTRLAP_APPROTECT_DISABLE 0x50006544u
#define CTRLAP_SECUREAPPROTECT_DISABLE 0x5000654Cu
#define UICR_APPROTECT 0x00FF8000u
#define UICR_SECUREAPPROTECT 0x00FF801Cu
#define GPIO_OUTSET(port) REG32(0x50842508u + 0x300u * (port))
#define GPIO_DIRSET(port) REG32(0x50842518u + 0x300u * (port))

#if TE_CLOCK_HZ != 128000000
#error "the application core of an nRF5340 runs at 128 MHz here"
#endif

void te_bsp_init(void) {
  REG32(CTRLAP_APPROTECT_DISABLE) = REG32(UICR_APPROTECT); /* the debug port stays open where the owner left it open */
  REG32(CTRLAP_SECUREAPPROTECT_DISABLE) = REG32(UICR_SECUREAPPROTECT);
  REG32(CACHE_ENABLE) = 1;
  CLOCK(HFCLKCTRL) = HFCLKCTRL_128_MHZ;
  CLOCK(EVENTS_HFCLKSTARTED) = 0;
  CLOCK(TASKS_HFCLKSTART) = 1; /* the crystal: the RC oscillator is too far off for a serial line */
  WAIT_UNTIL(CLOCK(EVENTS_HFCLKSTARTED) != 0);
  GPIO_OUTSET(TE_CONSOLE_TX_PORT) = 1u << TE_CONSOLE_TX_PIN; /* idle is high, also before the UARTE drives the pin */
  GPIO_DIRSET(TE_CONSOLE_TX_PORT) = 1u << TE_CONSOLE_TX_PIN;
  te_uarte_start();
  te_dwt_start();
}
