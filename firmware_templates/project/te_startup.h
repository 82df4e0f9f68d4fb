/* SPDX-License-Identifier: Apache-2.0 */
/* What the startup of a core knows of memory, and what it calls when the firmware breaks. */
#ifndef TE_STARTUP_H
#define TE_STARTUP_H

#include <stdint.h>

/* Bytes of stack there are, and the most that was in use since reset (the stack is painted at reset); 0 on a host. */
uint32_t te_stack_size(void);
uint32_t te_stack_peak(void);

/* Bytes of .data and .bss, the arena included, the stack not; 0 on a host. */
uint32_t te_ram_static(void);

/* main.c: report a fault over the console and stop. `pc` and `lr` are 0 when the stack overflowed and kept neither;
 * `status` is the core's fault status (CFSR), 0 where it has none. */
_Noreturn void te_fault(uint32_t pc, uint32_t lr, uint32_t status);

#endif
