/* SPDX-License-Identifier: Apache-2.0 */
/* What board support on every core needs: registers by address. */
#ifndef TE_REGISTERS_H
#define TE_REGISTERS_H

#include <stdint.h>

#define REG32(address) (*(volatile uint32_t *)(uintptr_t)(address))

/* Spin until hardware that does not answer at once says so. */
#define WAIT_UNTIL(condition)                                                                                          \
  do {                                                                                                                 \
  } while (!(condition))

#endif
