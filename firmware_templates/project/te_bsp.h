/* SPDX-License-Identifier: Apache-2.0 */
/* What a chip family gives the firmware; one file of firmware_templates/bsp/ implements it. */
#ifndef TE_BSP_H
#define TE_BSP_H

#include <stdint.h>

/* Clock, console and cycle counter; called first in main. */
void te_bsp_init(void);

/* Send one byte, waiting while the line is busy. */
void te_bsp_putc(char c);

/* One received byte, or -1 when there is none. */
int te_bsp_getc(void);

/* A free-running 32-bit counter of processor cycles that wraps. One function with one exit: emulators watch its reads.
 */
uint32_t te_bsp_cycles(void);

/* Stop for good. An emulator or a host process ends with `code`; a board sleeps. */
_Noreturn void te_bsp_halt(int code);

#endif
