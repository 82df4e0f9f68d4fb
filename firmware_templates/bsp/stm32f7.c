/* SPDX-License-Identifier: Apache-2.0 */
/* ST STM32F7: PLL from an external clock, caches, USART1 or 6 or 3, DWT cycle counter.
 *
 * Addresses and values: reference manual RM0385 (STM32F746), 2.2.2 memory map, 3 flash, 5.3 RCC. */
#include "te_board.h"
#include "te_bsp.h"
#include "te_cortex_m7_caches.h"
#include "te_dwt.h"
#include "te_registers.h"
#include "te_sleep.h"
#include "te_stm32_pins.h"
#include "te_stm32f4_clock.h"
#include "te_usart_f7.h"

#define FLASH_ACR_ART_PREFETCH 0x300u
#define GPIO_PORTS 0x7FFu
#define GPIOA 0x40020000u

#if TE_CONSOLE_BASE == 0x40011000u
#define CONSOLE_ENABLE TE_RCC_APB2ENR, 1u << 4 /* USART1 */
#define CONSOLE_HZ TE_APB2_HZ
#elif TE_CONSOLE_BASE == 0x40011400u
#define CONSOLE_ENABLE TE_RCC_APB2ENR, 1u << 5 /* USART6 */
#define CONSOLE_HZ TE_APB2_HZ
#elif TE_CONSOLE_BASE == 0x40004800u
#define CONSOLE_ENABLE TE_RCC_APB1ENR, 1u << 18 /* USART3 */
#define CONSOLE_HZ TE_APB1_HZ
#else
#error "console.base is no USART of an STM32F7 that is known here"
#endif

static void set_bits(uint32_t address, uint32_t bits) {
  REG32(address) |= bits;
  (void)REG32(address); /* the clock it turns on is there two cycles of the bus later */
}

void te_bsp_init(void) {
  REG32(TE_FLASH_ACR) = FLASH_ACR_ART_PREFETCH | TE_CLOCK_WAIT_STATES; /* before the clock rises */
  te_cortex_m7_start_caches();
  te_stm32f4_start_clock();
  set_bits(TE_RCC_AHB1ENR, GPIO_PORTS);
  set_bits(CONSOLE_ENABLE);
  te_stm32_start_pins(GPIOA);
  te_usart_start(CONSOLE_HZ / TE_CONSOLE_BAUD);
  te_dwt_start();
}
