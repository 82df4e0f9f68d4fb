/* SPDX-License-Identifier: Apache-2.0 */
/* Registers: STM32F4 reference manual RM0090, 30.6 USART registers; RM0008, 27.6 (STM32F1) has the same. */
#include "te_usart_f4.h"

#include "te_board.h"
#include "te_bsp.h"
#include "te_registers.h"

#define USART(offset) REG32(TE_CONSOLE_BASE + (offset))
#define SR 0x00u
#define SR_RXNE 0x20u
#define SR_TXE 0x80u
#define DR 0x04u
#define BRR 0x08u
#define CR1 0x0Cu
#define CR1_UE_TE_RE 0x200Cu

void te_usart_start(uint32_t divider) {
  USART(CR1) = 0;
  USART(BRR) = divider;
  USART(CR1) = CR1_UE_TE_RE; /* 8 data bits, no parity; one stop bit is the default of CR2 */
}

void te_bsp_putc(char c) {
  WAIT_UNTIL((USART(SR) & SR_TXE) != 0);
  USART(DR) = (uint8_t)c;
}

/* Reading DR behind SR also clears an overrun. */
int te_bsp_getc(void) {
  return (USART(SR) & SR_RXNE) != 0 ? (int)(USART(DR) & 0xFFu) : -1;
}
