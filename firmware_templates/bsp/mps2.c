/* SPDX-License-Identifier: Apache-2.0 */
/* Arm's MPS2 FPGA board, and QEMU's machines mps2-*: CMSDK UART, and a CMSDK timer as cycle counter. The FPGA image
 * fixes the clocks.
 *
 * Registers: Cortex-M System Design Kit Technical Reference Manual (DDI 0479), 4.1 APB timer. The timer turns over once
 * in 2^32 cycles, as the counter must. */
#include "te_board.h"
#include "te_bsp.h"
#include "te_cmsdk_uart.h"
#include "te_registers.h"
#include "te_semihosting.h"

#define TIMER(offset) REG32(TE_CLOCK_COUNTER_BASE + (offset))
#define CTRL 0x0u
#define CTRL_ENABLE 1u
#define VALUE 0x4u
#define RELOAD 0x8u
#define LAST 0xFFFFFFFFu

void te_bsp_init(void) {
  te_cmsdk_uart_start();
  TIMER(RELOAD) = LAST;
  TIMER(VALUE) = LAST;
  TIMER(CTRL) = CTRL_ENABLE;
}

/* It counts down. */
__attribute__((noinline)) uint32_t te_bsp_cycles(void) {
  return LAST - TIMER(VALUE);
}
