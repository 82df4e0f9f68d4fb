/* SPDX-License-Identifier: Apache-2.0 */
/* Registers: RM0090 (STM32F407), 5.4 PWR, 6.3 RCC; RM0390 (STM32F446), 5.4 and 6.3; RM0385 (STM32F746), 4.4 and 5.3.
 * Voltage scale 1, the default of all three, reaches 168 MHz; above that the over-drive does. */
#include "te_stm32f4_clock.h"

#include "te_board.h"
#include "te_registers.h"

#define RCC_CR 0x40023800u
#define RCC_CR_HSEON 0x00010000u
#define RCC_CR_HSERDY 0x00020000u
#define RCC_CR_HSEBYP 0x00040000u
#define RCC_CR_PLLON 0x01000000u
#define RCC_CR_PLLRDY 0x02000000u
#define RCC_PLLCFGR 0x40023804u
#define RCC_PLLCFGR_HSE 0x00400000u
#define RCC_PLLCFGR_KEPT 0xF0000000u /* PLLR of the F446, reserved in others */
#define RCC_CFGR 0x40023808u
#define RCC_CFGR_PPRE 0x00009400u /* APB1 / 4, APB2 / 2 */
#define RCC_CFGR_SW_PLL 2u
#define RCC_CFGR_SWS_PLL 8u
#define PWREN 0x10000000u
#define PWR_CR 0x40007000u
#define PWR_CR_ODEN 0x00010000u
#define PWR_CR_ODSWEN 0x00020000u
#define PWR_CSR 0x40007004u
#define OVER_DRIVE_ABOVE_HZ 168000000

#if TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M * TE_CLOCK_PLL_N / TE_CLOCK_PLL_P != TE_CLOCK_HZ
#error "source_hz / pll_m * pll_n / pll_p is not clock_hz"
#endif
#if TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M < 950000 || TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M > 2100000
#error "the PLL takes 0.95 to 2.1 MHz behind pll_m"
#endif

#define PLL_Q 9u /* for USB and others that are not used; the field must be at least 2 */

static void start_over_drive(void) {
  REG32(TE_RCC_APB1ENR) |= PWREN;
  (void)REG32(TE_RCC_APB1ENR); /* two cycles of the bus, until the clock is there */
  REG32(PWR_CR) |= PWR_CR_ODEN;
  WAIT_UNTIL((REG32(PWR_CSR) & PWR_CR_ODEN) != 0);
  REG32(PWR_CR) |= PWR_CR_ODSWEN;
  WAIT_UNTIL((REG32(PWR_CSR) & PWR_CR_ODSWEN) != 0);
}

void te_stm32f4_start_clock(void) {
#ifdef TE_CLOCK_SOURCE_EXTERNAL
  REG32(RCC_CR) |= RCC_CR_HSEBYP;
#endif
  REG32(RCC_CR) |= RCC_CR_HSEON;
  WAIT_UNTIL((REG32(RCC_CR) & RCC_CR_HSERDY) != 0);
  REG32(RCC_PLLCFGR) = (REG32(RCC_PLLCFGR) & RCC_PLLCFGR_KEPT) | PLL_Q << 24 | RCC_PLLCFGR_HSE |
                       (TE_CLOCK_PLL_P / 2u - 1u) << 16 | TE_CLOCK_PLL_N << 6 | TE_CLOCK_PLL_M;
  REG32(RCC_CR) |= RCC_CR_PLLON;
  if (TE_CLOCK_HZ > OVER_DRIVE_ABOVE_HZ) {
    start_over_drive();
  }
  WAIT_UNTIL((REG32(RCC_CR) & RCC_CR_PLLRDY) != 0);
  REG32(RCC_CFGR) = RCC_CFGR_PPRE;
  REG32(RCC_CFGR) = RCC_CFGR_PPRE | RCC_CFGR_SW_PLL;
  WAIT_UNTIL((REG32(RCC_CFGR) & RCC_CFGR_SWS_PLL) != 0);
}
