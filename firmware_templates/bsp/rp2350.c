/* SPDX-License-Identifier: Apache-2.0 */
/* Raspberry Pi RP2350: crystal, PLL, UART0, DWT cycle counter, the block that the boot ROM looks for.
 *
 * Addresses and values: RP2350 data sheet, 2.2 address map, 7.5 resets, 8.1 clocks, 8.2 XOSC, 8.6 PLL, 9 GPIO. */
#include "te_board.h"
#include "te_bsp.h"
#include "te_pl011.h"
#include "te_registers.h"
#include "te_sleep.h"
#include "te_dwt.h"

#define TE_RP2_RESETS 0x40020000u
#define TE_RP2_RESET_PLL_SYS (1u << 14)
#define RESET_UART0_PADS_IO (1u << 26 | 1u << 9 | 1u << 6)
#define TE_RP2_XOSC 0x40048000u
#define TE_RP2_PLL_SYS 0x40050000u
#define TE_RP2_CLOCKS 0x40010000u
#define TE_RP2_IO_BANK0 0x40028000u
#define TE_RP2_PADS_BANK0 0x40038000u
#include "te_rp2.h"

/* A block with an image definition: executable, secure, Arm, RP2350. It must lie in the first 4 KiB; without more items
 * the boot ROM takes stack and entry from the vector table at the start. RP2350 data sheet, 5.9 and 5.9.5.1. */
__attribute__((section(".boot_info"), used)) static const uint32_t image_definition[5] = {
    0xFFFFDED3u, /* start */
    0x10210142u, /* image type, one word */
    0x000001FFu, /* the last item, after one word of items */
    0x00000000u, /* the next block is this one */
    0xAB123579u, /* end */
};

void te_bsp_init(void) {
  te_rp2_start_clocks();
  te_rp2_leave_reset(RESET_UART0_PADS_IO);
  te_rp2_start_pin(TE_CONSOLE_TX_PIN, TE_RP2_PAD_TX);
  te_rp2_start_pin(TE_CONSOLE_RX_PIN, TE_RP2_PAD_RX);
  te_pl011_start(TE_CLOCK_HZ);
  te_dwt_start();
}
