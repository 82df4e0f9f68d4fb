/* Nordic nRF52: crystal, UARTE with EasyDMA polled one byte at a time, DWT cycle counter.
 *
 * Addresses and values: nRF52840 Product Specification v1.7 (4.3 NVMC, 4.8 debug, 5.4 CLOCK, 6.34 UARTE). Of the UARTE
 * only tasks, events, pointers and counts are used (no shortcuts, no FLUSHRX, no interrupt), which emulators have too. */
#include <stdint.h>

#include "te_board.h"
#include "te_bsp.h"

#define REG32(address) (*(volatile uint32_t *)(uintptr_t)(address))

#define CLOCK_TASKS_HFCLKSTART 0x40000000u
#define CLOCK_EVENTS_HFCLKSTARTED 0x40000100u
#define APPROTECT_DISABLE 0x40000558u
#define APPROTECT_DISABLE_KEY 0x5Au
#define NVMC_ICACHECNF 0x4001E540u

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

#define GPIO_OUTSET(port) REG32(0x50000508u + 0x300u * (port))
#define GPIO_DIRSET(port) REG32(0x50000518u + 0x300u * (port))

#define DEMCR 0xE000EDFCu
#define DEMCR_TRCENA 0x01000000u
#define DWT_CTRL 0xE0001000u
#define DWT_CTRL_CYCCNTENA 1u
#define DWT_CYCCNT 0xE0001004u

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

static void start_crystal(void) {
  REG32(CLOCK_EVENTS_HFCLKSTARTED) = 0;
  REG32(CLOCK_TASKS_HFCLKSTART) = 1;
  while (REG32(CLOCK_EVENTS_HFCLKSTARTED) == 0) {
  }
}

static void start_console(void) {
  GPIO_OUTSET(TE_CONSOLE_TX_PORT) = 1u << TE_CONSOLE_TX_PIN; /* idle is high, also before the UARTE drives the pin */
  GPIO_DIRSET(TE_CONSOLE_TX_PORT) = 1u << TE_CONSOLE_TX_PIN;
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

void te_bsp_init(void) {
  REG32(APPROTECT_DISABLE) = APPROTECT_DISABLE_KEY; /* keeps the debug port open for the next flashing */
  REG32(NVMC_ICACHECNF) = 1;                        /* the cache is off after reset */
  start_crystal();                                  /* the RC oscillator is too far off for a serial line */
  start_console();
  REG32(DEMCR) |= DEMCR_TRCENA;
  REG32(DWT_CYCCNT) = 0;
  REG32(DWT_CTRL) |= DWT_CTRL_CYCCNTENA;
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

__attribute__((noinline)) uint32_t te_bsp_cycles(void) { return REG32(DWT_CYCCNT); }

_Noreturn void te_bsp_halt(int code) {
  (void)code; /* a board has nobody to tell */
  for (;;) {
    __asm volatile("wfi");
  }
}
