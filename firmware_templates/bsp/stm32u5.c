/* SPDX-License-Identifier: Apache-2.0 */
/* ST STM32U5 with TrustZone off, as delivered: PLL from the internal 16 MHz oscillator, instruction cache, USART1, DWT
 * cycle counter.
 *
 * Addresses: reference manual RM0456, 2.3 memory map, 7.9 flash, 8 ICACHE, 10.10 PWR, 11.8 RCC, 66.8 USART. */
#include "te_board.h"
#include "te_bsp.h"
#include "te_dwt.h"
#include "te_registers.h"
#include "te_sleep.h"
#include "te_stm32_pins.h"
#include "te_usart_f7.h"

#define RCC(offset) REG32(0x46020C00u + (offset))
#define CR 0x00u
#define CR_HSION 0x00000100u
#define CR_HSIRDY 0x00000400u
#define CR_PLL1ON 0x01000000u
#define CR_PLL1RDY 0x02000000u
#define CFGR1 0x1Cu
#define CFGR1_SW_PLL1 3u
#define CFGR1_SWS_PLL1 0xCu
#define PLL1CFGR 0x28u
#define PLL1CFGR_HSI16_8_TO_16_MHZ 0xEu
#define PLL1CFGR_REN 0x00040000u
#define PLL1DIVR 0x34u
#define AHB2ENR1 0x8Cu
#define AHB2ENR1_GPIO_PORTS 0x1FFu
#define AHB3ENR 0x94u
#define AHB3ENR_PWR 4u
#define APB2ENR 0xA4u
#define APB2ENR_USART1 0x4000u
#define PWR_VOSR 0x4602080Cu
#define PWR_VOSR_BOOSTRDY 0x00004000u
#define PWR_VOSR_VOSRDY 0x00008000u
#define PWR_VOSR_RANGE1 0x00030000u
#define PWR_VOSR_BOOSTEN 0x00040000u
#define FLASH_ACR 0x40022000u
#define FLASH_ACR_PREFETCH 0x100u
#define ICACHE_CR 0x40030400u
#define ICACHE_CR_EN 1u
#define GPIOA 0x42020000u

#if TE_CLOCK_SOURCE_HZ != 16000000 ||                                                                                  \
    TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M * TE_CLOCK_PLL_N / TE_CLOCK_PLL_P != TE_CLOCK_HZ
#error "16 MHz / pll_m * pll_n / pll_p (the manual's R) is not clock_hz"
#endif
#if TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M < 8000000
#error "the PLL is set up for 8 to 16 MHz behind pll_m"
#endif
#if TE_CONSOLE_BASE != 0x40013800u
#error "only USART1 is known here"
#endif

/* Voltage range 1 with the booster, which takes the PLL's input as its clock and must run before the PLL is used. */
static void raise_voltage(void) {
  RCC(AHB3ENR) |= AHB3ENR_PWR;
  (void)RCC(AHB3ENR);
  REG32(PWR_VOSR) = PWR_VOSR_RANGE1;
  WAIT_UNTIL((REG32(PWR_VOSR) & PWR_VOSR_VOSRDY) != 0);
  REG32(PWR_VOSR) = PWR_VOSR_RANGE1 | PWR_VOSR_BOOSTEN;
  WAIT_UNTIL((REG32(PWR_VOSR) & PWR_VOSR_BOOSTRDY) != 0);
}

static void start_clock(void) {
  RCC(CR) |= CR_HSION;
  WAIT_UNTIL((RCC(CR) & CR_HSIRDY) != 0);
  RCC(PLL1CFGR) = PLL1CFGR_REN | (TE_CLOCK_PLL_M - 1u) << 8 | PLL1CFGR_HSI16_8_TO_16_MHZ;
  RCC(PLL1DIVR) = (TE_CLOCK_PLL_P - 1u) << 24 | (TE_CLOCK_PLL_N - 1u);
  raise_voltage();
  REG32(FLASH_ACR) = FLASH_ACR_PREFETCH | TE_CLOCK_WAIT_STATES;
  RCC(CR) |= CR_PLL1ON;
  WAIT_UNTIL((RCC(CR) & CR_PLL1RDY) != 0);
  RCC(CFGR1) = CFGR1_SW_PLL1;
  WAIT_UNTIL((RCC(CFGR1) & CFGR1_SWS_PLL1) == CFGR1_SWS_PLL1);
}

void te_bsp_init(void) {
  start_clock();
  REG32(ICACHE_CR) |= ICACHE_CR_EN;
  RCC(AHB2ENR1) |= AHB2ENR1_GPIO_PORTS;
  RCC(APB2ENR) |= APB2ENR_USART1;
  (void)RCC(APB2ENR);
  te_stm32_start_pins(GPIOA);
  te_usart_start(TE_CLOCK_HZ / TE_CONSOLE_BAUD);
  te_dwt_start();
}
