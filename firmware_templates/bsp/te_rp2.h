/* SPDX-License-Identifier: Apache-2.0 */
/* What RP2040 and RP2350 have in common. The family's file defines TE_RP2_* (addresses and reset bits) in front. */
#ifndef TE_RP2_H
#define TE_RP2_H

#include "te_board.h"
#include "te_registers.h"

#define TE_RP2_XOSC_CTRL_ON 0x00FABAA0u /* enable, 1 to 15 MHz */
#define TE_RP2_XOSC_STABLE 0x80000000u
#define TE_RP2_XOSC_STARTUP ((TE_CLOCK_SOURCE_HZ / 1000u + 128u) / 256u) /* 1 ms in units of 256 cycles */

#define TE_RP2_PLL(offset) REG32(TE_RP2_PLL_SYS + (offset))
#define TE_RP2_PLL_CS 0x0u
#define TE_RP2_PLL_LOCK 0x80000000u
#define TE_RP2_PLL_PWR 0x4u
#define TE_RP2_PLL_PWR_OFF 0x2Du /* all but the unused fractional part's */
#define TE_RP2_PLL_PWR_POSTDIV_OFF 0x08u
#define TE_RP2_PLL_FBDIV 0x8u
#define TE_RP2_PLL_PRIM 0xCu

#define TE_RP2_CLK_REF_CTRL REG32(TE_RP2_CLOCKS + 0x30u)
#define TE_RP2_CLK_REF_XOSC 2u
#define TE_RP2_CLK_REF_SELECTED REG32(TE_RP2_CLOCKS + 0x38u)
#define TE_RP2_CLK_SYS_CTRL REG32(TE_RP2_CLOCKS + 0x3Cu)
#define TE_RP2_CLK_SYS_PLL 1u /* AUXSRC 0 is PLL_SYS */
#define TE_RP2_CLK_SYS_SELECTED REG32(TE_RP2_CLOCKS + 0x44u)
#define TE_RP2_CLK_PERI_CTRL REG32(TE_RP2_CLOCKS + 0x48u)
#define TE_RP2_CLK_PERI_FROM_SYS 0x800u

#define TE_RP2_FUNCTION_UART 2u
#define TE_RP2_PAD_TX 0x50u /* input enabled, 4 mA; on an RP2350 also connected, as ISO is clear */
#define TE_RP2_PAD_RX 0x5Au /* with Schmitt trigger and pull-up: the line idles high, also with nothing plugged in */

/* pll_p is split in two: half of it, then 2. */
#if TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M * TE_CLOCK_PLL_N / TE_CLOCK_PLL_P != TE_CLOCK_HZ
#error "source_hz / pll_m * pll_n / pll_p is not clock_hz"
#endif
#if TE_CLOCK_PLL_P % 2 != 0 || TE_CLOCK_PLL_P > 14
#error "pll_p must be even and at most 14"
#endif
#if TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M * TE_CLOCK_PLL_N < 750000000 ||                                                \
    TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M * TE_CLOCK_PLL_N > 1600000000
#error "the PLL's oscillator runs at 750 to 1600 MHz"
#endif

static inline void te_rp2_leave_reset(uint32_t parts) {
  REG32(TE_RP2_RESETS) &= ~parts;
  WAIT_UNTIL((REG32(TE_RP2_RESETS + 0x8u) & parts) == parts);
}

static inline void te_rp2_start_clocks(void) {
  REG32(TE_RP2_XOSC + 0xCu) = TE_RP2_XOSC_STARTUP;
  REG32(TE_RP2_XOSC) = TE_RP2_XOSC_CTRL_ON;
  WAIT_UNTIL((REG32(TE_RP2_XOSC + 0x4u) & TE_RP2_XOSC_STABLE) != 0);
  TE_RP2_CLK_REF_CTRL = TE_RP2_CLK_REF_XOSC;
  WAIT_UNTIL((TE_RP2_CLK_REF_SELECTED & 1u << TE_RP2_CLK_REF_XOSC) != 0);
  TE_RP2_CLK_SYS_CTRL = 0; /* a bootloader may have it on the PLL */
  WAIT_UNTIL((TE_RP2_CLK_SYS_SELECTED & 1u) != 0);
  te_rp2_leave_reset(TE_RP2_RESET_PLL_SYS);
  TE_RP2_PLL(TE_RP2_PLL_PWR) = TE_RP2_PLL_PWR_OFF;
  TE_RP2_PLL(TE_RP2_PLL_CS) = TE_CLOCK_PLL_M;
  TE_RP2_PLL(TE_RP2_PLL_FBDIV) = TE_CLOCK_PLL_N;
  TE_RP2_PLL(TE_RP2_PLL_PWR) = TE_RP2_PLL_PWR_POSTDIV_OFF;
  WAIT_UNTIL((TE_RP2_PLL(TE_RP2_PLL_CS) & TE_RP2_PLL_LOCK) != 0);
  TE_RP2_PLL(TE_RP2_PLL_PRIM) = TE_CLOCK_PLL_P / 2u << 16 | 2u << 12;
  TE_RP2_PLL(TE_RP2_PLL_PWR) = 0;
  TE_RP2_CLK_SYS_CTRL = TE_RP2_CLK_SYS_PLL;
  WAIT_UNTIL((TE_RP2_CLK_SYS_SELECTED & 2u) != 0);
  TE_RP2_CLK_PERI_CTRL = TE_RP2_CLK_PERI_FROM_SYS;
}

static inline void te_rp2_start_pin(uint32_t pin, uint32_t pad) {
  REG32(TE_RP2_PADS_BANK0 + 4u + 4u * pin) = pad;
  REG32(TE_RP2_IO_BANK0 + 4u + 8u * pin) = TE_RP2_FUNCTION_UART;
}

#endif
