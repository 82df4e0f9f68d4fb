/* SPDX-License-Identifier: Apache-2.0 */
/* te_bsp_cycles by SysTick, for cores without a 32-bit cycle counter. */
#ifndef TE_SYSTICK_H
#define TE_SYSTICK_H

void te_systick_start(void);

#endif
