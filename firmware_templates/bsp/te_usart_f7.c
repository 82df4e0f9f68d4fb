/* SPDX-License-Identifier: Apache-2.0 */
/* Registers: STM32F7 reference manual RM0385, 31.8 USART registers; RM0433, 48.7 (STM32H7), RM0432, 50.8 and 51.7
 * (STM32L4+), RM0444, 33.8 (STM32G0) and RM0456, 66.8 (STM32U5) have the same. The FIFO stays off. */
#include "te_usart_f7.h"

#include "te_board.h"
#include "te_bsp.h"
#include "te_registers.h"

#define USART(offset) REG32(TE_CONSOLE_BASE + (offset))
#define CR1 0x00u
#define CR1_UE_RE_TE 0x0Du
#define BRR 0x0Cu
#define ISR 0x1Cu
#define ISR_ORE 0x08u
#define ISR_RXNE 0x20u
#define ISR_TXE 0x80u
#define ICR 0x20u
#define RDR 0x24u
#define TDR 0x28u

void te_usart_start(uint32_t divider) {
  USART(CR1) = 0;
  USART(BRR) = divider;
  USART(CR1) = CR1_UE_RE_TE; /* 8 data bits, no parity; one stop bit is the default of CR2 */
}

void te_bsp_putc(char c) {
  WAIT_UNTIL((USART(ISR) & ISR_TXE) != 0);
  USART(TDR) = (uint8_t)c;
}

int te_bsp_getc(void) {
  const uint32_t status = USART(ISR);
  if ((status & ISR_ORE) != 0) {
    USART(ICR) = ISR_ORE; /* else nothing more is received; the checksum of the line finds the lost byte */
  }
  return (status & ISR_RXNE) != 0 ? (int)(USART(RDR) & 0xFFu) : -1;
}
