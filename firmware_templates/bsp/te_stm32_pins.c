/* SPDX-License-Identifier: Apache-2.0 */
/* Registers: RM0090, 8.4 GPIO registers; the same in every STM32 but the F1. */
#include "te_stm32_pins.h"

#include "te_board.h"
#include "te_registers.h"

#define PORT_BYTES 0x400u
#define MODER 0x00u
#define MODER_ALTERNATE 2u
#define PUPDR 0x0Cu
#define PUPDR_UP 1u
#define AFR 0x20u

/* Replace field `index` of `width` bits in fields that fill 32-bit registers from `address` on. */
static void set_field(uint32_t address, uint32_t index, uint32_t width, uint32_t value) {
  const uint32_t per_register = 32u / width;
  const uint32_t shift = index % per_register * width;
  volatile uint32_t *const field = &REG32(address + index / per_register * 4u);
  *field = (*field & ~(((1u << width) - 1u) << shift)) | value << shift;
}

static void start_pin(uint32_t gpio, uint32_t pin) {
  set_field(gpio + PUPDR, pin, 2, PUPDR_UP); /* the line idles high, also when nothing is plugged in */
  set_field(gpio + AFR, pin, 4, TE_CONSOLE_PIN_FUNCTION);
  set_field(gpio + MODER, pin, 2, MODER_ALTERNATE);
}

void te_stm32_start_pins(uint32_t gpio_a) {
  start_pin(gpio_a + TE_CONSOLE_TX_PORT * PORT_BYTES, TE_CONSOLE_TX_PIN);
  start_pin(gpio_a + TE_CONSOLE_RX_PORT * PORT_BYTES, TE_CONSOLE_RX_PIN);
}
