/* SPDX-License-Identifier: Apache-2.0 */
/* The console's pins of every STM32 but the F1. */
#ifndef TE_STM32_PINS_H
#define TE_STM32_PINS_H

#include <stdint.h>

/* Give both pins to the console. `gpio_a` is the address of port A; the clocks of the ports are on already. */
void te_stm32_start_pins(uint32_t gpio_a);

#endif
