/* SPDX-License-Identifier: Apache-2.0 */
/* What kernels share that multiply blocks of a matrix with all sums in registers. */
#ifndef TE_BLOCKS_H
#define TE_BLOCKS_H

/* Taps in a turn of the loop: the length of what is multiplied is a multiple of it. */
#define TE_TAPS_AT_ONCE 4

/* Keeps the compiler from loading what comes behind before it has used what came in front: left to itself, it loads so
 * far ahead that sums leave the registers. */
#define TE_NO_LOADS_AHEAD() __asm__ volatile("" ::: "memory")

#endif
