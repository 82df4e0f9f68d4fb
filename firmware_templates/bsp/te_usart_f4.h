/* SPDX-License-Identifier: Apache-2.0 */
/* The console over the older USART of STM32 (F1, F2, F4): te_bsp_putc and te_bsp_getc. */
#ifndef TE_USART_F4_H
#define TE_USART_F4_H

#include <stdint.h>

/* Start it; `divider` is its clock over the baud rate. Its clock and its pins are on already. */
void te_usart_start(uint32_t divider);

#endif
