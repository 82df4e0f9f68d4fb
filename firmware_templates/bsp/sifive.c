/* SPDX-License-Identifier: Apache-2.0 */
/* SiFive FE310: PLL from a crystal, UART0, mcycle as cycle counter.
 *
 * Addresses and values: FE310-G002 Manual v1p5, 6 PRCI, 17 GPIO, 18 UART. */
#include "te_board.h"
#include "te_bsp.h"
#include "te_mcycle.h"
#include "te_registers.h"
#include "te_sleep.h"

#define HFXOSCCFG 0x10008004u
#define HFXOSCCFG_EN 0x40000000u
#define HFXOSCCFG_RDY 0x80000000u
#define PLLCFG 0x10008008u
#define PLLCFG_SEL 0x00010000u
#define PLLCFG_REFSEL_CRYSTAL 0x00020000u
#define PLLCFG_BYPASS 0x00040000u
#define PLLCFG_LOCK 0x80000000u
#define PLLOUTDIV 0x1000800Cu
#define PLLOUTDIV_BY_1 0x100u
#define SETTLE_CYCLES 10000u /* at least 100 us at up to 72 MHz until LOCK means something */

#define GPIO_IOF_EN 0x10012038u
#define GPIO_IOF_SEL 0x1001203Cu
#define UART0_PINS 0x00030000u /* GPIO16 receives, GPIO17 sends */

#define UART(offset) REG32(TE_CONSOLE_BASE + (offset))
#define TXDATA 0x00u
#define TXDATA_FULL 0x80000000u
#define RXDATA 0x04u
#define RXDATA_EMPTY 0x80000000u
#define TXCTRL 0x08u
#define RXCTRL 0x0Cu
#define DIV 0x18u

#if TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M * TE_CLOCK_PLL_N / TE_CLOCK_PLL_P != TE_CLOCK_HZ
#error "source_hz / pll_m * pll_n / pll_p (the manual's R, F and Q) is not clock_hz"
#endif
#if TE_CLOCK_PLL_P == 2
#define PLL_Q 1u
#elif TE_CLOCK_PLL_P == 4
#define PLL_Q 2u
#elif TE_CLOCK_PLL_P == 8
#define PLL_Q 3u
#else
#error "pll_p must be 2, 4 or 8"
#endif
#if TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M < 6000000 || TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M > 12000000
#error "the PLL takes 6 to 12 MHz behind pll_m"
#endif
#if TE_CONSOLE_BASE != 0x10013000u
#error "only UART0 is known here"
#endif

static void start_clock(void) {
  const uint32_t settings =
      PLLCFG_REFSEL_CRYSTAL | PLL_Q << 10 | (TE_CLOCK_PLL_N / 2u - 1u) << 4 | (TE_CLOCK_PLL_M - 1u);
  REG32(HFXOSCCFG) = HFXOSCCFG_EN;
  WAIT_UNTIL((REG32(HFXOSCCFG) & HFXOSCCFG_RDY) != 0);
  REG32(PLLCFG) &= ~PLLCFG_SEL; /* a bootloader may have the core on it */
  REG32(PLLOUTDIV) = PLLOUTDIV_BY_1;
  REG32(PLLCFG) = settings | PLLCFG_BYPASS;
  REG32(PLLCFG) = settings;
  const uint32_t start = te_bsp_cycles();
  WAIT_UNTIL(te_bsp_cycles() - start > SETTLE_CYCLES);
  WAIT_UNTIL((REG32(PLLCFG) & PLLCFG_LOCK) != 0);
  REG32(PLLCFG) = settings | PLLCFG_SEL;
}

void te_bsp_init(void) {
  start_clock();
  REG32(GPIO_IOF_SEL) &= ~UART0_PINS;
  REG32(GPIO_IOF_EN) |= UART0_PINS;
  UART(DIV) = TE_CLOCK_HZ / TE_CONSOLE_BAUD - 1u;
  UART(TXCTRL) = 1;
  UART(RXCTRL) = 1;
}

void te_bsp_putc(char c) {
  WAIT_UNTIL((UART(TXDATA) & TXDATA_FULL) == 0);
  UART(TXDATA) = (uint8_t)c;
}

int te_bsp_getc(void) {
  const uint32_t data = UART(RXDATA);
  return (data & RXDATA_EMPTY) == 0 ? (int)(data & 0xFFu) : -1;
}
