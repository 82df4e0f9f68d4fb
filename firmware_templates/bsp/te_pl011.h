/* SPDX-License-Identifier: Apache-2.0 */
/* The console over Arm's PL011 UART: te_bsp_putc and te_bsp_getc. */
#ifndef TE_PL011_H
#define TE_PL011_H

#include <stdint.h>

/* Start it; `clock_hz` is its clock. It is out of reset and has its pins. */
void te_pl011_start(uint32_t clock_hz);

#endif
