/* SPDX-License-Identifier: Apache-2.0 */
/* ST STM32L4+: PLL from the internal 16 MHz oscillator, LPUART1, DWT cycle counter.
 *
 * Addresses and values: reference manual RM0432, 2.2 memory map, 3.7 flash, 5.4 PWR, 6.4 RCC, 51.7 LPUART. */
#include "te_board.h"
#include "te_bsp.h"
#include "te_dwt.h"
#include "te_registers.h"
#include "te_sleep.h"
#include "te_stm32_pins.h"
#include "te_usart_f7.h"

#define RCC(offset) REG32(0x40021000u + (offset))
#define CR 0x00u
#define CR_HSION 0x00000100u
#define CR_HSIRDY 0x00000400u
#define CR_PLLON 0x01000000u
#define CR_PLLRDY 0x02000000u
#define CFGR 0x08u
#define CFGR_SW_PLL 3u
#define CFGR_SWS_PLL 0xCu
#define CFGR_HPRE_HALF 0x80u
#define PLLCFGR 0x0Cu
#define PLLCFGR_HSI16 2u
#define PLLCFGR_PLLREN 0x01000000u
#define AHB2ENR 0x4Cu
#define AHB2ENR_GPIO_PORTS 0x1FFu
#define APB1ENR1 0x58u
#define APB1ENR1_PWREN 0x10000000u
#define APB1ENR2 0x5Cu
#define APB1ENR2_LPUART1 1u
#define PWR_CR2 0x40007004u
#define PWR_CR2_IOSV 0x200u
#define PWR_CR5 0x40007080u
#define PWR_CR5_R1MODE 0x100u
#define FLASH_ACR 0x40022000u
#define FLASH_ACR_CACHES 0x600u /* without prefetch: what boards/nucleo_l4r5zi.toml is calibrated for */
#define GPIOA 0x48000000u
#define LPUART1_PRESC 0x4000802Cu
#define SETTLE_LOOPS 200 /* at least 1 us at half the clock, as 6.2.9 wants on the way above 80 MHz */

#if TE_CLOCK_SOURCE_HZ != 16000000 ||                                                                                  \
    TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M * TE_CLOCK_PLL_N / TE_CLOCK_PLL_P != TE_CLOCK_HZ
#error "16 MHz / pll_m * pll_n / pll_p (the manual's R) is not clock_hz"
#endif
#if TE_CONSOLE_BASE != 0x40008000u
#error "only LPUART1 is known here"
#endif

/* The divider of an LPUART has 20 bits, so that its clock may be 4,095 times the baud rate at most. */
#if TE_CLOCK_HZ / TE_CONSOLE_BAUD < 4096
#define PRESC_VALUE 0u
#define CONSOLE_HZ TE_CLOCK_HZ
#elif TE_CLOCK_HZ / TE_CONSOLE_BAUD < 16384
#define PRESC_VALUE 2u
#define CONSOLE_HZ (TE_CLOCK_HZ / 4u)
#else
#error "the LPUART cannot go as slowly as `baud`"
#endif

static void start_clock(void) {
  RCC(APB1ENR1) |= APB1ENR1_PWREN;
  (void)RCC(APB1ENR1);
  REG32(PWR_CR5) &= ~PWR_CR5_R1MODE; /* range 1 boost, for more than 80 MHz */
  REG32(FLASH_ACR) = FLASH_ACR_CACHES | TE_CLOCK_WAIT_STATES;
  RCC(CR) |= CR_HSION;
  WAIT_UNTIL((RCC(CR) & CR_HSIRDY) != 0);
  RCC(PLLCFGR) = (TE_CLOCK_PLL_P / 2u - 1u) << 25 | PLLCFGR_PLLREN | TE_CLOCK_PLL_N << 8 | (TE_CLOCK_PLL_M - 1u) << 4 |
                 PLLCFGR_HSI16;
  RCC(CR) |= CR_PLLON;
  WAIT_UNTIL((RCC(CR) & CR_PLLRDY) != 0);
  RCC(CFGR) = CFGR_HPRE_HALF | CFGR_SW_PLL;
  WAIT_UNTIL((RCC(CFGR) & CFGR_SWS_PLL) == CFGR_SWS_PLL);
  for (volatile uint32_t i = 0; i < SETTLE_LOOPS; i = i + 1) {
  }
  RCC(CFGR) = CFGR_SW_PLL;
}

void te_bsp_init(void) {
  start_clock();
  REG32(PWR_CR2) |= PWR_CR2_IOSV; /* PG2 to PG15 have a supply of their own */
  RCC(AHB2ENR) |= AHB2ENR_GPIO_PORTS;
  RCC(APB1ENR2) |= APB1ENR2_LPUART1;
  (void)RCC(APB1ENR2);
  te_stm32_start_pins(GPIOA);
  REG32(LPUART1_PRESC) = PRESC_VALUE;
  te_usart_start((uint32_t)(256ull * CONSOLE_HZ / TE_CONSOLE_BAUD));
  te_dwt_start();
}
