/* SPDX-License-Identifier: Apache-2.0 */
/* Registers: PrimeCell UART (PL011) Technical Reference Manual (DDI 0183), 3.3. */
#include "te_pl011.h"

#include "te_board.h"
#include "te_bsp.h"
#include "te_registers.h"

#define UART(offset) REG32(TE_CONSOLE_BASE + (offset))
#define DR 0x00u
#define FR 0x18u
#define FR_RXFE 0x10u
#define FR_TXFF 0x20u
#define IBRD 0x24u
#define FBRD 0x28u
#define LCR_H 0x2Cu
#define LCR_H_8_BITS_FIFO 0x70u
#define CR 0x30u
#define CR_ENABLE_TX_RX 0x301u

void te_pl011_start(uint32_t clock_hz) {
  const uint32_t divider = (clock_hz * 4u + TE_CONSOLE_BAUD / 2u) / TE_CONSOLE_BAUD; /* in 64ths of 16 clocks a bit */
  UART(CR) = 0;
  UART(IBRD) = divider >> 6;
  UART(FBRD) = divider & 63u;
  UART(LCR_H) = LCR_H_8_BITS_FIFO; /* after the rate, which it takes over */
  UART(CR) = CR_ENABLE_TX_RX;
}

void te_bsp_putc(char c) {
  WAIT_UNTIL((UART(FR) & FR_TXFF) == 0);
  UART(DR) = (uint8_t)c;
}

int te_bsp_getc(void) {
  return (UART(FR) & FR_RXFE) == 0 ? (int)(UART(DR) & 0xFFu) : -1;
}
