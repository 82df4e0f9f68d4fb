/* SPDX-License-Identifier: Apache-2.0 */
/* Startup of every Cortex-M: vector table, memory, FPU, painted stack, faults. The only interrupt there may be is that
 * of SysTick, where it is the cycle counter.
 *
 * The linker script puts the stack at the start of RAM, below all data: a stack that overflows leaves RAM and faults,
 * where it would otherwise eat into variables in silence. */
#include "te_bsp.h"
#include "te_memory.h"
#include "te_registers.h"
#include "te_startup.h"

#define SCB_VTOR 0xE000ED08u  /* Armv7-M Architecture Reference Manual, B3.2.2: vector table offset */
#define SCB_CFSR 0xE000ED28u  /* configurable fault status */
#define SCB_CPACR 0xE000ED88u /* coprocessor access control */
#define CPACR_FPU 0x00F00000u /* full access to CP10 and CP11 */

extern uint32_t _te_stack_top[]; /* from the linker script */

int main(void);
void Reset_Handler(void);
void Fault_Handler(void);
__attribute__((weak, alias("Fault_Handler"))) void SysTick_Handler(void);

typedef union {
  uint32_t *stack;
  void (*handler)(void);
} vector;

/* The vectors of the core. Those of devices are not there, as no interrupt is enabled. */
__attribute__((section(".vectors"), used)) static const vector vectors[16] = {
    [0] = {.stack = _te_stack_top},    /* the stack pointer at reset */
    [1] = {.handler = Reset_Handler},  /* reset */
    [2] = {.handler = Fault_Handler},  /* NMI */
    [3] = {.handler = Fault_Handler},  /* hard fault */
    [4] = {.handler = Fault_Handler},  /* memory management */
    [5] = {.handler = Fault_Handler},  /* bus fault */
    [6] = {.handler = Fault_Handler},  /* usage fault */
    [11] = {.handler = Fault_Handler}, /* SVCall */
    [12] = {.handler = Fault_Handler}, /* debug monitor */
    [14] = {.handler = Fault_Handler}, /* PendSV */
    [15] = {.handler = SysTick_Handler},
};

__attribute__((used)) _Noreturn void te_start(void);

_Noreturn void te_start(void) {
  REG32(SCB_VTOR) = (uint32_t)(uintptr_t)vectors; /* a bootloader left its own there; a core without VTOR ignores it */
#ifdef __ARM_FP
  REG32(SCB_CPACR) |= CPACR_FPU;
#endif
  __asm volatile("dsb\n\tisb" ::: "memory");
  te_memory_start();
  te_bsp_halt(main());
}

/* A bootloader may jump here with interrupts on and a stack of its own. */
__attribute__((naked, noreturn)) void Reset_Handler(void) {
  __asm volatile("cpsid i\n\t"
                 "movs r0, #0\n\t"
                 "msr control, r0\n\t"
                 "isb\n\t"
                 "ldr r0, =_te_stack_top\n\t"
                 "mov sp, r0\n\t"
                 "ldr r0, =te_start\n\t"
                 "bx r0\n\t"
                 ".ltorg");
}

__attribute__((used)) _Noreturn void te_report_fault(uint32_t pc, uint32_t lr);

_Noreturn void te_report_fault(uint32_t pc, uint32_t lr) {
#if __ARM_ARCH >= 7
  te_fault(pc, lr, REG32(SCB_CFSR));
#else
  te_fault(pc, lr, 0);
#endif
}

/* Every fault comes here. The frame holds pc and lr of the culprit, unless the stack overflowed, when the frame lies
 * outside RAM. Both are read before the stack is taken back to its top: from here nobody returns. */
__attribute__((naked)) void Fault_Handler(void) {
  __asm volatile("mrs r3, msp\n\t"
                 "movs r0, #0\n\t"
                 "movs r1, #0\n\t"
                 "ldr r2, =_te_stack_bottom\n\t"
                 "cmp r3, r2\n\t"
                 "blo 1f\n\t"
                 "ldr r0, [r3, #24]\n\t"
                 "ldr r1, [r3, #20]\n\t"
                 "1:\n\t"
                 "ldr r2, =_te_stack_top\n\t"
                 "mov sp, r2\n\t"
                 "ldr r2, =te_report_fault\n\t"
                 "bx r2\n\t"
                 ".ltorg");
}
