/* Takes the place of main.c to find the smallest arena in which the interpreter starts: tries sizes in the memory that
 * is free on the board. Prints `arena most N` and then `arena N`, or `arena none` when not even all of it is enough. */
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

int main(void) {
  te_bsp_init();
  uint8_t *arena = (uint8_t *)((TE_PROBE_START + STEP - 1) / STEP * STEP);
  uint32_t works = (uint32_t)(TE_PROBE_END - (uintptr_t)arena) / STEP * STEP;
  uint32_t fails = 0;
  print_line("arena most ", works);
  if (te_tflm_prepare(arena, works) != 0) {
    print("\narena none\n");
    return 1;
  }
  while (works - fails > STEP) {
    const uint32_t middle = (fails + works) / 2 / STEP * STEP;
    if (te_tflm_prepare(arena, middle) == 0) {
      works = middle;
    } else {
      fails = middle;
    }
  }
  print_line("arena ", works);
  return 0;
}
