/* SPDX-License-Identifier: Apache-2.0 */
/* ST STM32G0: PLL from the internal 16 MHz oscillator, USART2, SysTick as cycle counter (a Cortex-M0+ has no other).
 *
 * Addresses and values: reference manual RM0444, 2.2 memory map, 3.7 flash, 5.4 RCC, 33.8 USART. */
#include "te_board.h"
#include "te_bsp.h"
#include "te_registers.h"
#include "te_sleep.h"
#include "te_stm32_pins.h"
#include "te_systick.h"
#include "te_usart_f7.h"

#define RCC(offset) REG32(0x40021000u + (offset))
#define CR 0x00u
#define CR_PLLON 0x01000000u
#define CR_PLLRDY 0x02000000u
#define CFGR 0x08u
#define CFGR_SW_PLL 2u
#define CFGR_SWS_PLL 0x10u
#define PLLCFGR 0x0Cu
#define PLLCFGR_HSI16 2u
#define PLLCFGR_PLLREN 0x10000000u
#define IOPENR 0x34u
#define IOPENR_PORTS 0x3Fu
#define APBENR1 0x3Cu
#define APBENR1_USART2 0x00020000u
#define FLASH_ACR 0x40022000u
#define FLASH_ACR_CACHE_PREFETCH 0x300u
#define FLASH_ACR_LATENCY 7u
#define GPIOA 0x50000000u

#if TE_CLOCK_SOURCE_HZ != 16000000 ||                                                                                  \
    TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M * TE_CLOCK_PLL_N / TE_CLOCK_PLL_P != TE_CLOCK_HZ
#error "16 MHz / pll_m * pll_n / pll_p (the manual's R) is not clock_hz"
#endif
#if TE_CONSOLE_BASE != 0x40004400u
#error "only USART2 is known here"
#endif

static void start_clock(void) {
  REG32(FLASH_ACR) = (REG32(FLASH_ACR) & ~FLASH_ACR_LATENCY) | FLASH_ACR_CACHE_PREFETCH | TE_CLOCK_WAIT_STATES;
  WAIT_UNTIL((REG32(FLASH_ACR) & FLASH_ACR_LATENCY) == TE_CLOCK_WAIT_STATES);
  RCC(PLLCFGR) =
      (TE_CLOCK_PLL_P - 1u) << 29 | PLLCFGR_PLLREN | TE_CLOCK_PLL_N << 8 | (TE_CLOCK_PLL_M - 1u) << 4 | PLLCFGR_HSI16;
  RCC(CR) |= CR_PLLON;
  WAIT_UNTIL((RCC(CR) & CR_PLLRDY) != 0);
  RCC(CFGR) = CFGR_SW_PLL;
  WAIT_UNTIL((RCC(CFGR) & CFGR_SWS_PLL) != 0);
}

void te_bsp_init(void) {
  start_clock();
  RCC(IOPENR) |= IOPENR_PORTS;
  RCC(APBENR1) |= APBENR1_USART2;
  (void)RCC(APBENR1);
  te_stm32_start_pins(GPIOA);
  te_usart_start(TE_CLOCK_HZ / TE_CONSOLE_BAUD);
  te_systick_start();
}
