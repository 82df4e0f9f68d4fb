/* SPDX-License-Identifier: Apache-2.0 */
/* Arm's MPS3 FPGA board with Corstone-300, and QEMU's machine mps3-an547: CMSDK UART, SysTick as cycle counter, as
 * there is no CMSDK timer. The FPGA image fixes the clocks. */
#include "te_bsp.h"
#include "te_cmsdk_uart.h"
#include "te_semihosting.h"
#include "te_systick.h"

void te_bsp_init(void) {
  te_cmsdk_uart_start();
  te_systick_start();
}
