/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the program on a board. */
#include "te_sleep.h"

_Noreturn void te_bsp_halt(int code) {
  (void)code; /* a board has nobody to tell */
  for (;;) {
    __asm volatile("wfi");
  }
}
