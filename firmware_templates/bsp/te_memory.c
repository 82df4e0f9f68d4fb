/* SPDX-License-Identifier: Apache-2.0 */
/* Variables and the stack, for every core. */
#include "te_memory.h"

#include <stdint.h>

#include "te_startup.h"

#define PAINT 0x7E57ED6Eu

/* From the linker script. */
extern uint32_t _te_stack_bottom[];
extern uint32_t _te_stack_top[];
extern uint32_t _te_data_start[];
extern uint32_t _te_data_end[];
extern uint32_t _te_data_load[];
extern uint32_t _te_bss_start[];
extern uint32_t _te_bss_end[];

static void copy_words(uint32_t *to, const uint32_t *to_end, const uint32_t *from) {
  while (to < to_end) {
    *to++ = *from++;
  }
}

static void clear_words(uint32_t *to, const uint32_t *to_end) {
  while (to < to_end) {
    *to++ = 0;
  }
}

/* Paint the unused part of the stack. Volatile stores, so that no call of memset grows a stack of its own here. */
static void paint_stack(void) {
  uint32_t *stack_pointer;
#ifdef __riscv
  __asm volatile("mv %0, sp" : "=r"(stack_pointer));
#else
  __asm volatile("mov %0, sp" : "=r"(stack_pointer));
#endif
  for (volatile uint32_t *p = _te_stack_bottom; p < stack_pointer; ++p) {
    *p = PAINT;
  }
}

void te_memory_start(void) {
  paint_stack();
  copy_words(_te_data_start, _te_data_end, _te_data_load);
  clear_words(_te_bss_start, _te_bss_end);
}

uint32_t te_stack_size(void) {
  return (uint32_t)((uintptr_t)_te_stack_top - (uintptr_t)_te_stack_bottom);
}

uint32_t te_stack_peak(void) {
  const volatile uint32_t *p = _te_stack_bottom;
  while (p < _te_stack_top && *p == PAINT) {
    ++p;
  }
  return (uint32_t)((uintptr_t)_te_stack_top - (uintptr_t)p);
}

uint32_t te_ram_static(void) {
  return (uint32_t)((uintptr_t)_te_data_end - (uintptr_t)_te_data_start + (uintptr_t)_te_bss_end -
                    (uintptr_t)_te_bss_start);
}
