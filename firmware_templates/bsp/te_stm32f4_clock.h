/* SPDX-License-Identifier: Apache-2.0 */
/* The clock tree that STM32F4 and STM32F7 share. */
#ifndef TE_STM32F4_CLOCK_H
#define TE_STM32F4_CLOCK_H

/* The buses at most run at these rates: APB1 at a quarter of the core's clock, APB2 at half of it. */
#define TE_APB1_HZ (TE_CLOCK_HZ / 4u)
#define TE_APB2_HZ (TE_CLOCK_HZ / 2u)

#define TE_RCC_AHB1ENR 0x40023830u
#define TE_RCC_APB1ENR 0x40023840u
#define TE_RCC_APB2ENR 0x40023844u
#define TE_FLASH_ACR 0x40023C00u

/* From the 16 MHz of reset to TE_CLOCK_HZ by way of the external clock and the PLL. The flash has its wait states. */
void te_stm32f4_start_clock(void);

#endif
