/* SPDX-License-Identifier: Apache-2.0 */
/* The console over the UART of Arm's Cortex-M System Design Kit: te_bsp_putc and te_bsp_getc. */
#ifndef TE_CMSDK_UART_H
#define TE_CMSDK_UART_H

void te_cmsdk_uart_start(void);

#endif
