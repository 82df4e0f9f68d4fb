/* SPDX-License-Identifier: Apache-2.0 */
/* ST STM32F103: PLL from a crystal, USART1 on PA9 and PA10, DWT cycle counter.
 *
 * Addresses and values: reference manual RM0008, 3.3 memory map and 3.3.3 flash, 7.3 RCC, 9.2 GPIO, 27.6 USART. */
#include "te_board.h"
#include "te_bsp.h"
#include "te_dwt.h"
#include "te_registers.h"
#include "te_sleep.h"
#include "te_usart_f4.h"

#define RCC_CR 0x40021000u
#define RCC_CR_HSEON 0x00010000u
#define RCC_CR_HSERDY 0x00020000u
#define RCC_CR_PLLON 0x01000000u
#define RCC_CR_PLLRDY 0x02000000u
#define RCC_CFGR 0x40021004u
#define RCC_CFGR_PLLSRC_HSE 0x00010000u
#define RCC_CFGR_PPRE1_HALF 0x00000400u /* APB1 may run at 36 MHz */
#define RCC_CFGR_SW_PLL 2u
#define RCC_CFGR_SWS_PLL 8u
#define RCC_APB2ENR 0x40021018u
#define RCC_APB2ENR_USART1_GPIOA 0x00004004u
#define FLASH_ACR 0x40022000u
#define FLASH_ACR_PREFETCH 0x10u
#define GPIOA_CRH 0x40010804u
#define GPIOA_CRH_PA9_PA10 0x00000FF0u
#define GPIOA_CRH_PA9_OUTPUT_PA10_PULLED 0x000008B0u /* alternate function push-pull, 50 MHz; input with pull */
#define GPIOA_BSRR 0x40010810u
#define PA10_UP 0x400u

#if TE_CLOCK_SOURCE_HZ * TE_CLOCK_PLL_N != TE_CLOCK_HZ
#error "source_hz * pll_n is not clock_hz"
#endif
#if TE_CONSOLE_BASE != 0x40013800u || TE_CONSOLE_TX_PORT != 0 || TE_CONSOLE_TX_PIN != 9 || TE_CONSOLE_RX_PIN != 10
#error "only USART1 on PA9 and PA10 is known here"
#endif

static void start_clock(void) {
  REG32(FLASH_ACR) = FLASH_ACR_PREFETCH | TE_CLOCK_WAIT_STATES; /* before the clock rises */
  REG32(RCC_CR) |= RCC_CR_HSEON;
  WAIT_UNTIL((REG32(RCC_CR) & RCC_CR_HSERDY) != 0);
  const uint32_t settings = (TE_CLOCK_PLL_N - 2u) << 18 | RCC_CFGR_PLLSRC_HSE | RCC_CFGR_PPRE1_HALF;
  REG32(RCC_CFGR) = settings;
  REG32(RCC_CR) |= RCC_CR_PLLON;
  WAIT_UNTIL((REG32(RCC_CR) & RCC_CR_PLLRDY) != 0);
  REG32(RCC_CFGR) = settings | RCC_CFGR_SW_PLL;
  WAIT_UNTIL((REG32(RCC_CFGR) & RCC_CFGR_SWS_PLL) != 0);
}

void te_bsp_init(void) {
  start_clock();
  REG32(RCC_APB2ENR) |= RCC_APB2ENR_USART1_GPIOA;
  REG32(GPIOA_CRH) = (REG32(GPIOA_CRH) & ~GPIOA_CRH_PA9_PA10) | GPIOA_CRH_PA9_OUTPUT_PA10_PULLED;
  REG32(GPIOA_BSRR) = PA10_UP;
  te_usart_start(TE_CLOCK_HZ / TE_CONSOLE_BAUD); /* APB2 runs at the core's clock */
  te_dwt_start();
}
