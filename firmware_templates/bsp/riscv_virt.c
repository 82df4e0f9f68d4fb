/* SPDX-License-Identifier: Apache-2.0 */
/* QEMU's RISC-V machine `virt`: NS16550 UART, mcycle as cycle counter, the test device to end with an exit code.
 *
 * Addresses: QEMU, hw/riscv/virt.c, virt_memmap; UART: National Semiconductor PC16550D data sheet, 8; test device:
 * QEMU, hw/misc/sifive_test.c. The baud rate is the host's affair. */
#include "te_board.h"
#include "te_bsp.h"
#include "te_mcycle.h"
#include "te_registers.h"

#define UART(offset) (*(volatile uint8_t *)(uintptr_t)(TE_CONSOLE_BASE + (offset)))
#define RBR_THR 0u
#define LCR 3u
#define LCR_8_BITS 3u
#define LSR 5u
#define LSR_DR 0x01u
#define LSR_THRE 0x20u

#define TEST_DEVICE 0x00100000u
#define TEST_PASS 0x5555u
#define TEST_FAIL 0x3333u

void te_bsp_init(void) {
  UART(LCR) = LCR_8_BITS;
}

void te_bsp_putc(char c) {
  WAIT_UNTIL((UART(LSR) & LSR_THRE) != 0);
  UART(RBR_THR) = (uint8_t)c;
}

int te_bsp_getc(void) {
  return (UART(LSR) & LSR_DR) != 0 ? (int)UART(RBR_THR) : -1;
}

_Noreturn void te_bsp_halt(int code) {
  REG32(TEST_DEVICE) = code == 0 ? TEST_PASS : (uint32_t)code << 16 | TEST_FAIL;
  for (;;) {
    __asm volatile("wfi");
  }
}
