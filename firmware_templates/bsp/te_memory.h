/* SPDX-License-Identifier: Apache-2.0 */
/* RAM as C expects it at the start of main, and what is in use of it. */
#ifndef TE_MEMORY_H
#define TE_MEMORY_H

/* Fill .data and .bss, and paint the unused part of the stack. Called first, on the stack. */
void te_memory_start(void);

#endif
