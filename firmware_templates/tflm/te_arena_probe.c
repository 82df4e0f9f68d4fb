/* SPDX-License-Identifier: Apache-2.0 */
/* Takes the place of main.c to find the smallest arena in which the interpreter starts. Prints `arena most N`, the
 * bytes that are free on the board; then tries each size that the host sends as a decimal number on a line, and prints
 * `arena works N` or `arena fails N`. An interpreter that breaks on a size ends in `arena fault PC`. */
#include <stdint.h>

#include "te_bsp.h"
#include "te_probe_memory.h"
#include "te_startup.h"
#include "te_tflm.h"

#define STEP 16u /* TensorFlow Lite Micro aligns what it allocates to so many bytes */

static void print(const char *text) {
  for (; *text != '\0'; ++text) {
    te_bsp_putc(*text);
  }
}

static void print_line(const char *text, uint32_t value) {
  char digits[10];
  unsigned count = 0;
  do {
    digits[count++] = (char)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  te_bsp_putc('\n');
  print(text);
  while (count > 0) {
    te_bsp_putc(digits[--count]);
  }
  te_bsp_putc('\n');
}

_Noreturn void te_fault(uint32_t pc, uint32_t lr, uint32_t status) {
  (void)lr;
  (void)status;
  print_line("arena fault ", pc);
  te_bsp_halt(1);
}

static uint32_t read_number(void) {
  uint32_t value = 0;
  for (;;) {
    const int c = te_bsp_getc();
    if (c >= '0' && c <= '9') {
      value = value * 10 + (uint32_t)(c - '0');
    } else if (c == '\n') {
      return value;
    }
  }
}

int main(void) {
  te_bsp_init();
  uint8_t *arena = (uint8_t *)((TE_PROBE_START + STEP - 1) / STEP * STEP);
  const uint32_t most = (uint32_t)(TE_PROBE_END - (uintptr_t)arena) / STEP * STEP;
  print_line("arena most ", most);
  for (;;) {
    const uint32_t bytes = read_number();
    if (bytes <= most) {
      print_line(te_tflm_prepare(arena, bytes) == 0 ? "arena works " : "arena fails ", bytes);
    }
  }
}
