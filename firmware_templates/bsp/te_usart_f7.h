/* SPDX-License-Identifier: Apache-2.0 */
/* The console over the newer USART or LPUART of STM32 (F0, F3, F7, G0, G4, H7, L4, U5): te_bsp_putc and te_bsp_getc. */
#ifndef TE_USART_F7_H
#define TE_USART_F7_H

#include <stdint.h>

/* Start it; `divider` is its clock over the baud rate, of an LPUART 256 times that. Its clock and its pins are on. */
void te_usart_start(uint32_t divider);

#endif
