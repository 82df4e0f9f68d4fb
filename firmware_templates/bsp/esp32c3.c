/* SPDX-License-Identifier: Apache-2.0 */
/* Espressif ESP32-C3, started by its ROM without a bootloader (direct boot): 160 MHz, UART0, its own cycle counter.
 *
 * The ROM finds two magic words at the start of the flash, maps the flash to 0x42000000 for code and to 0x3C000000 for
 * loads, and jumps behind them; watchdogs run and the core is on the crystal.
 * Addresses and values: ESP32-C3 Technical Reference Manual v1.1, 1.4.1 CSRs, 3 memory, 6 clock, 12.4 watchdogs, 26
 * UART; direct boot: Espressif, esp32c3-direct-boot-example, README. */
#include "te_board.h"
#include "te_bsp.h"
#include "te_registers.h"
#include "te_sleep.h"

#define SYSTEM_CPU_PER_CONF 0x600C0008u
#define CPU_PER_CONF_480_BY_3 0x5u
#define CPU_PER_CONF_FIELDS 0x7u
#define SYSTEM_SYSCLK_CONF 0x600C0058u
#define SYSCLK_CONF_PLL 0x400u
#define SYSCLK_CONF_FIELDS 0xFFFu

#define RTC_WDTCONFIG0 0x60008090u
#define RTC_WDTWPROTECT 0x600080A8u
#define RTC_WDT_KEY 0x50D83AA1u
#define RTC_SWD_CONF 0x600080ACu
#define RTC_SWD_AUTO_FEED 0x80000000u
#define RTC_SWD_WPROTECT 0x600080B0u
#define RTC_SWD_KEY 0x8F1D312Au
#define TIMG0_WDTCONFIG0 0x6001F048u
#define TIMG0_WDTWPROTECT 0x6001F064u
#define TIMG1_WDTCONFIG0 0x60020048u
#define TIMG1_WDTWPROTECT 0x60020064u
#define LOCKED 0u

#define UART(offset) REG32(TE_CONSOLE_BASE + (offset))
#define FIFO 0x00u
#define CLKDIV 0x14u
#define STATUS 0x1Cu
#define STATUS_RX_COUNT 0x3FFu
#define STATUS_TX_COUNT 0x03FF0000u
#define STATUS_TX_NEARLY_FULL 0x00700000u /* 112 of 128 bytes */
#define CLK_CONF 0x78u
#define CLK_CONF_CRYSTAL 0x03700000u /* on for both directions, not divided */
#define CRYSTAL_HZ 40000000u

#if TE_CLOCK_HZ != 160000000
#error "the core runs at 160 MHz here"
#endif
#if TE_CONSOLE_BASE != 0x60000000u
#error "only UART0 is known here"
#endif

/* What the ROM looks for, and where it jumps. */
__attribute__((naked, section(".boot"), used)) void te_direct_boot(void);
__attribute__((naked, section(".boot"), used)) void te_direct_boot(void) {
  __asm volatile(".word 0xAEDB041D, 0xAEDB041D\n\t"
                 "tail Reset_Handler\n\t"
                 ".balign 128");
}

static void stop_watchdogs(void) {
  REG32(RTC_WDTWPROTECT) = RTC_WDT_KEY;
  REG32(RTC_WDTCONFIG0) = 0;
  REG32(RTC_WDTWPROTECT) = LOCKED;
  REG32(RTC_SWD_WPROTECT) = RTC_SWD_KEY;
  REG32(RTC_SWD_CONF) |= RTC_SWD_AUTO_FEED;
  REG32(RTC_SWD_WPROTECT) = LOCKED;
  REG32(TIMG0_WDTWPROTECT) = RTC_WDT_KEY;
  REG32(TIMG0_WDTCONFIG0) = 0;
  REG32(TIMG0_WDTWPROTECT) = LOCKED;
  REG32(TIMG1_WDTWPROTECT) = RTC_WDT_KEY;
  REG32(TIMG1_WDTCONFIG0) = 0;
  REG32(TIMG1_WDTWPROTECT) = LOCKED;
}

static void start_clock(void) {
  REG32(SYSTEM_CPU_PER_CONF) = (REG32(SYSTEM_CPU_PER_CONF) & ~CPU_PER_CONF_FIELDS) | CPU_PER_CONF_480_BY_3;
  REG32(SYSTEM_SYSCLK_CONF) = (REG32(SYSTEM_SYSCLK_CONF) & ~SYSCLK_CONF_FIELDS) | SYSCLK_CONF_PLL;
}

/* The counter of performance events, set to cycles: mpcer chooses, mpcmr lets it run. */
static void start_counter(void) {
  __asm volatile("csrwi 0x7E0, 1\n\tcsrwi 0x7E1, 1");
}

void te_bsp_init(void) {
  stop_watchdogs();
  start_clock();
  UART(CLK_CONF) = CLK_CONF_CRYSTAL;
  const uint32_t sixteenths = (CRYSTAL_HZ * 16u + TE_CONSOLE_BAUD / 2u) / TE_CONSOLE_BAUD;
  UART(CLKDIV) = (sixteenths & 15u) << 20 | sixteenths >> 4;
  start_counter();
}

void te_bsp_putc(char c) {
  WAIT_UNTIL((UART(STATUS) & STATUS_TX_COUNT) < STATUS_TX_NEARLY_FULL);
  UART(FIFO) = (uint8_t)c;
}

int te_bsp_getc(void) {
  return (UART(STATUS) & STATUS_RX_COUNT) != 0 ? (int)(UART(FIFO) & 0xFFu) : -1;
}

__attribute__((noinline)) uint32_t te_bsp_cycles(void) {
  uint32_t cycles;
  __asm volatile("csrr %0, 0x7E2" : "=r"(cycles));
  return cycles;
}
