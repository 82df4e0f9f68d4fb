/* SPDX-License-Identifier: Apache-2.0 */
/* Startup of every RV32 core in machine mode: memory, painted stack, traps. No interrupt is ever enabled.
 *
 * The linker script puts the stack at the start of RAM, below all data: a stack that overflows leaves RAM and faults,
 * where it would otherwise eat into variables in silence. CSRs: RISC-V Instruction Set Manual, volume II, 3.1. */
#include <stdint.h>

#include "te_bsp.h"
#include "te_memory.h"
#include "te_startup.h"

int main(void);
void Reset_Handler(void);
void te_trap(void);

__attribute__((used)) _Noreturn void te_start(void);

_Noreturn void te_start(void) {
  te_memory_start();
  te_bsp_halt(main());
}

/* The first instructions of the image: a bootloader or a reset vector jumps to the start of flash. */
__attribute__((naked, noreturn, section(".vectors"), used)) void Reset_Handler(void) {
  __asm volatile("csrci mstatus, 8\n\t" /* interrupts off: a bootloader may have left them on */
                 "la t0, te_trap\n\t"
                 "csrw mtvec, t0\n\t"
                 "la sp, _te_stack_top\n\t"
                 "tail te_start");
}

__attribute__((used)) _Noreturn void te_report_trap(uint32_t pc, uint32_t ra, uint32_t cause);

_Noreturn void te_report_trap(uint32_t pc, uint32_t ra, uint32_t cause) {
  te_fault(pc, ra, cause);
}

/* Every trap comes here, and nobody returns: the stack, which may have overflowed, is taken back to its top. Some cores
 * have vectors of 4 bytes from an address aligned to 256 bytes, of which this is the first and the only one used. */
__attribute__((naked, noreturn, aligned(256))) void te_trap(void) {
  __asm volatile("csrr a0, mepc\n\t"
                 "mv a1, ra\n\t"
                 "csrr a2, mcause\n\t"
                 "la sp, _te_stack_top\n\t"
                 "tail te_report_trap");
}
