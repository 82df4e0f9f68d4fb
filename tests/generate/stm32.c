/* Board support of an STM32F405 as QEMU's netduinoplus2 has it, for a test of the Cortex-M startup. USART: reference
 * manual RM0090, 30.6. Three bytes that no line of the protocol holds break the firmware. */
#include <stdint.h>

#include "te_board.h"
#include "te_bsp.h"

#define USART(offset) (*(volatile uint32_t *)(uintptr_t)(TE_CONSOLE_BASE + (offset)))
#define SR 0x00u
#define SR_RXNE 0x20u
#define SR_TXE 0x80u
#define DR 0x04u
#define CR1 0x0Cu
#define CR1_UE_TE_RE 0x200Cu

static volatile uint32_t initialised = 0x12345678; /* .data: copied from flash, or the line stays dead */

/* Deep enough to leave any stack; the compiler sees an end to it. */
static volatile uint32_t depth = 1000000;

static __attribute__((noinline)) uint32_t recurse(volatile uint32_t *above) {
  volatile uint32_t here[16];
  here[0] = *above + 1;
  return here[0] < depth ? recurse(here) + here[0] : 0;
}

void te_bsp_init(void) {
  if (initialised == 0x12345678) {
    USART(CR1) = CR1_UE_TE_RE;
  }
}

void te_bsp_putc(char c) {
  while (!(USART(SR) & SR_TXE)) {
  }
  USART(DR) = (uint8_t)c;
}

int te_bsp_getc(void) {
  if (!(USART(SR) & SR_RXNE)) {
    return -1;
  }
  const int c = (int)(USART(DR) & 0xFFu);
  if (c == 1) {
    volatile uint32_t start = 0;
    return (int)recurse(&start);
  }
  if (c == 2) {
    __asm volatile("udf #0");
  }
  if (c == 3) {
    return (int)*(volatile uint32_t *)(uintptr_t)0x60000000u;
  }
  return c;
}

__attribute__((noinline)) uint32_t te_bsp_cycles(void) { return 0; }

_Noreturn void te_bsp_halt(int code) {
  (void)code;
  for (;;) {
    __asm volatile("wfi");
  }
}
