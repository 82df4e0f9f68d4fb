/* SPDX-License-Identifier: Apache-2.0 */
/* Raspberry Pi RP2040: crystal, PLL, UART0, SysTick as cycle counter (a Cortex-M0+ has no other), boot second stage.
 *
 * Addresses: RP2040 data sheet, 2.2 address map, 2.14 resets, 2.15 clocks, 2.16 XOSC, 2.18 PLL, 2.19 GPIO. */
#include "te_board.h"
#include "te_bsp.h"
#include "te_pl011.h"
#include "te_registers.h"
#include "te_rp2040_boot2.h"
#include "te_sleep.h"
#include "te_systick.h"

#define TE_RP2_RESETS 0x4000C000u
#define TE_RP2_RESET_PLL_SYS (1u << 12)
#define RESET_UART0_PADS_IO (1u << 22 | 1u << 8 | 1u << 5)
#define TE_RP2_XOSC 0x40024000u
#define TE_RP2_PLL_SYS 0x40028000u
#define TE_RP2_CLOCKS 0x40008000u
#define TE_RP2_IO_BANK0 0x40014000u
#define TE_RP2_PADS_BANK0 0x4001C000u
#include "te_rp2.h"

void te_bsp_init(void) {
  te_rp2_start_clocks();
  te_rp2_leave_reset(RESET_UART0_PADS_IO);
  te_rp2_start_pin(TE_CONSOLE_TX_PIN, TE_RP2_PAD_TX);
  te_rp2_start_pin(TE_CONSOLE_RX_PIN, TE_RP2_PAD_RX);
  te_pl011_start(TE_CLOCK_HZ);
  te_systick_start();
}
