/* SPDX-License-Identifier: Apache-2.0 */
/* ST STM32H743: PLL from an external clock at voltage scale 1, caches, USART3, DWT cycle counter.
 *
 * Addresses and values: reference manual RM0433, 2.3.2 memory map, 4.9 flash, 6.8 PWR, 8.7 RCC, 48.7 USART. The core
 * runs at the PLL's rate, its buses at half of that, the peripheral buses at a quarter. */
#include "te_board.h"
#include "te_bsp.h"
#include "te_cortex_m7_caches.h"
#include "te_dwt.h"
#include "te_registers.h"
#include "te_sleep.h"
#include "te_stm32_pins.h"
#include "te_usart_f7.h"

#define RCC(offset) REG32(0x58024400u + (offset))
#define CR 0x00u
#define CR_HSEON 0x00010000u
#define CR_HSERDY 0x00020000u
#define CR_HSEBYP 0x00040000u
#define CR_PLL1ON 0x01000000u
#define CR_PLL1RDY 0x02000000u
#define CFGR 0x10u
#define CFGR_SW_PLL1 3u
#define CFGR_SWS_PLL1 0x18u
#define D1CFGR 0x18u
#define D1CFGR_HALVES 0x48u /* HPRE / 2, D1PPRE / 2 */
#define D2CFGR 0x1Cu
#define D2CFGR_HALVES 0x440u
#define D3CFGR 0x20u
#define D3CFGR_HALF 0x40u
#define PLLCKSELR 0x28u
#define PLLCKSELR_HSE 2u
#define PLLCFGR 0x2Cu
#define PLLCFGR_P_WIDE_8_TO_16_MHZ 0x0001000Cu /* DIVP1EN, wide VCO, input of 8 to 16 MHz */
#define PLL1DIVR 0x30u
#define AHB4ENR 0xE0u
#define AHB4ENR_GPIO_PORTS 0x7FFu
#define APB1LENR 0xE8u
#define APB1LENR_USART3 0x00040000u
#define PWR(offset) REG32(0x58024800u + (offset))
#define CSR1 0x04u
#define CSR1_ACTVOSRDY 0x2000u
#define CR3 0x0Cu
#define CR3_LDO 2u
#define CR3_SUPPLY 7u
#define D3CR 0x18u
#define D3CR_VOSRDY 0x2000u
#define D3CR_VOS_SCALE1 0xC000u
#define FLASH_ACR 0x52002000u
#define FLASH_ACR_WRHIGHFREQ_200_MHZ 0x20u
#define GPIOA 0x58020000u
#define CONSOLE_HZ (TE_CLOCK_HZ / 4u)
#define UNUSED_Q_R 0x01010000u /* outputs that are off, divided by 2 */

#if TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M * TE_CLOCK_PLL_N / TE_CLOCK_PLL_P != TE_CLOCK_HZ
#error "source_hz / pll_m * pll_n / pll_p is not clock_hz"
#endif
#if TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M < 8000000 || TE_CLOCK_SOURCE_HZ / TE_CLOCK_PLL_M > 16000000
#error "the PLL is set up for 8 to 16 MHz behind pll_m"
#endif
#if TE_CLOCK_HZ > 400000000
#error "voltage scale 1 reaches 400 MHz"
#endif
#if TE_CONSOLE_BASE != 0x40004800u
#error "only USART3 is known here"
#endif

static void raise_voltage(void) {
  PWR(CR3) = (PWR(CR3) & ~CR3_SUPPLY) | CR3_LDO; /* the supply must be said once before the scale can change */
  WAIT_UNTIL((PWR(CSR1) & CSR1_ACTVOSRDY) != 0);
  PWR(D3CR) |= D3CR_VOS_SCALE1;
  WAIT_UNTIL((PWR(D3CR) & D3CR_VOSRDY) != 0);
}

static void start_clock(void) {
  REG32(FLASH_ACR) = FLASH_ACR_WRHIGHFREQ_200_MHZ | TE_CLOCK_WAIT_STATES;
#ifdef TE_CLOCK_SOURCE_EXTERNAL
  RCC(CR) |= CR_HSEBYP;
#endif
  RCC(CR) |= CR_HSEON;
  WAIT_UNTIL((RCC(CR) & CR_HSERDY) != 0);
  RCC(PLLCKSELR) = TE_CLOCK_PLL_M << 4 | PLLCKSELR_HSE;
  RCC(PLLCFGR) = PLLCFGR_P_WIDE_8_TO_16_MHZ;
  RCC(PLL1DIVR) = UNUSED_Q_R | (TE_CLOCK_PLL_P - 1u) << 9 | (TE_CLOCK_PLL_N - 1u);
  RCC(CR) |= CR_PLL1ON;
  WAIT_UNTIL((RCC(CR) & CR_PLL1RDY) != 0);
  RCC(D1CFGR) = D1CFGR_HALVES;
  RCC(D2CFGR) = D2CFGR_HALVES;
  RCC(D3CFGR) = D3CFGR_HALF;
  RCC(CFGR) = CFGR_SW_PLL1;
  WAIT_UNTIL((RCC(CFGR) & CFGR_SWS_PLL1) == CFGR_SWS_PLL1);
}

void te_bsp_init(void) {
  raise_voltage();
  te_cortex_m7_start_caches();
  start_clock();
  RCC(AHB4ENR) |= AHB4ENR_GPIO_PORTS;
  RCC(APB1LENR) |= APB1LENR_USART3;
  (void)RCC(APB1LENR);
  te_stm32_start_pins(GPIOA);
  te_usart_start(CONSOLE_HZ / TE_CONSOLE_BAUD);
  te_dwt_start();
}
