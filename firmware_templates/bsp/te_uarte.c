/* SPDX-License-Identifier: Apache-2.0 */
/* Nordic's UARTE, with EasyDMA, polled one byte at a time.
 *
 * Addresses and values: nRF52840 Product Specification v1.7, 6.34 UARTE; nRF5340 has the same (v1.3.1, 7.37). Only
 * tasks, events, pointers and counts are used (no shortcuts, no FLUSHRX, no interrupt), which emulators have too. */
#include "te_uarte.h"

#include "te_board.h"
#include "te_bsp.h"
#include "te_registers.h"

#define UARTE(offset) REG32(TE_CONSOLE_BASE + (offset))
#define TASKS_STARTRX 0x000u
#define TASKS_STARTTX 0x008u
#define EVENTS_ENDRX 0x110u
#define EVENTS_ENDTX 0x120u
#define ENABLE 0x500u
#define ENABLE_UARTE 8u
#define PSEL_RTS 0x508u
#define PSEL_TXD 0x50Cu
#define PSEL_CTS 0x510u
#define PSEL_RXD 0x514u
#define PSEL_DISCONNECTED 0xFFFFFFFFu
#define BAUDRATE 0x524u
#define RXD_PTR 0x534u
#define RXD_MAXCNT 0x538u
#define TXD_PTR 0x544u
#define TXD_MAXCNT 0x548u
#define CONFIG 0x56Cu

/* EasyDMA reaches RAM only, so even one byte needs a place there. */
static volatile uint8_t tx_byte;
static volatile uint8_t rx_byte;

/* The product specification lists values of BAUDRATE and no rule; the UARTE's differ from those of the older UART. */
#if TE_CONSOLE_BAUD == 9600
#define BAUDRATE_VALUE 0x00275000u
#elif TE_CONSOLE_BAUD == 19200
#define BAUDRATE_VALUE 0x004EA000u
#elif TE_CONSOLE_BAUD == 38400
#define BAUDRATE_VALUE 0x009D0000u
#elif TE_CONSOLE_BAUD == 57600
#define BAUDRATE_VALUE 0x00EB0000u
#elif TE_CONSOLE_BAUD == 115200
#define BAUDRATE_VALUE 0x01D60000u
#elif TE_CONSOLE_BAUD == 230400
#define BAUDRATE_VALUE 0x03B00000u
#elif TE_CONSOLE_BAUD == 460800
#define BAUDRATE_VALUE 0x07400000u
#elif TE_CONSOLE_BAUD == 921600
#define BAUDRATE_VALUE 0x0F000000u
#elif TE_CONSOLE_BAUD == 1000000
#define BAUDRATE_VALUE 0x10000000u
#else
#error "the UARTE has no such baud rate"
#endif

void te_uarte_start(void) {
  UARTE(ENABLE) = 0; /* pins may only be chosen while it is off; a bootloader may have left it on */
  UARTE(PSEL_TXD) = TE_CONSOLE_TX_PORT * 32u + TE_CONSOLE_TX_PIN;
  UARTE(PSEL_RXD) = TE_CONSOLE_RX_PORT * 32u + TE_CONSOLE_RX_PIN;
  UARTE(PSEL_RTS) = PSEL_DISCONNECTED;
  UARTE(PSEL_CTS) = PSEL_DISCONNECTED;
  UARTE(BAUDRATE) = BAUDRATE_VALUE;
  UARTE(CONFIG) = 0; /* 8 data bits, no parity, one stop bit */
  UARTE(ENABLE) = ENABLE_UARTE;
  UARTE(RXD_PTR) = (uint32_t)(uintptr_t)&rx_byte;
  UARTE(RXD_MAXCNT) = 1;
  UARTE(TXD_PTR) = (uint32_t)(uintptr_t)&tx_byte;
  UARTE(TXD_MAXCNT) = 1;
  UARTE(EVENTS_ENDRX) = 0;
  UARTE(TASKS_STARTRX) = 1;
}

void te_bsp_putc(char c) {
  tx_byte = (uint8_t)c;
  UARTE(EVENTS_ENDTX) = 0;
  UARTE(TASKS_STARTTX) = 1;
  while (UARTE(EVENTS_ENDTX) == 0) {
  }
}

int te_bsp_getc(void) {
  if (UARTE(EVENTS_ENDRX) == 0) {
    return -1;
  }
  const uint8_t byte = rx_byte;
  UARTE(EVENTS_ENDRX) = 0;
  UARTE(TASKS_STARTRX) = 1;
  return byte;
}
