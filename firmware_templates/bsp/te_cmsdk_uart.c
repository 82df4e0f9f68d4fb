/* SPDX-License-Identifier: Apache-2.0 */
/* Registers: Cortex-M System Design Kit Technical Reference Manual (DDI 0479), 4.3 APB UART. */
#include "te_cmsdk_uart.h"

#include "te_board.h"
#include "te_bsp.h"
#include "te_registers.h"

#define UART(offset) REG32(TE_CONSOLE_BASE + (offset))
#define DATA 0x00u
#define STATE 0x04u
#define STATE_TX_FULL 1u
#define STATE_RX_FULL 2u
#define CTRL 0x08u
#define CTRL_TX_RX 3u
#define BAUDDIV 0x10u

void te_cmsdk_uart_start(void) {
  UART(BAUDDIV) = TE_CLOCK_HZ / TE_CONSOLE_BAUD;
  UART(CTRL) = CTRL_TX_RX;
}

void te_bsp_putc(char c) {
  WAIT_UNTIL((UART(STATE) & STATE_TX_FULL) == 0);
  UART(DATA) = (uint8_t)c;
}

int te_bsp_getc(void) {
  return (UART(STATE) & STATE_RX_FULL) != 0 ? (int)(UART(DATA) & 0xFFu) : -1;
}
