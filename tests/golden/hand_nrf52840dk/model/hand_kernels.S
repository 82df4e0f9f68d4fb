/* SPDX-License-Identifier: Apache-2.0 */
/* hand: what its layers call in assembler for cortex-m4f.
 *
 * Each function has a section of its own, so that the linker leaves out what is not called. Where models are linked
 * together, one copy serves all that have a function of that name: its end is a digest of the instructions.
 */
#include "hand_kernels.h"

        .file   "hand_kernels.S"
        .syntax unified
        .thumb

        .macro  function name
        .section .text.\name, "ax", %progbits
        .balign 4
        .weak   \name
        .hidden \name
        .type   \name, %function
        .thumb_func
\name:
        .endm

        .macro  end name
        .size   \name, . - \name
        .endm

/*
 * state += value, out = state.
 *
 * r4 value, r5 sum
 */
        function te_add_up_88816f2d
        push {r4, r5, lr}
        ldr r12, [r0, #TE_ADD_UP_LAYER_COUNT]
        ldr lr, [r0, #TE_ADD_UP_LAYER_STEP]
        /* an element */
1:      ldrsb r4, [r1], #1
        ldrsb r5, [r2]
        add r5, r5, r4
        strb r5, [r2], #1
        strb r5, [r3], #1
        subs r12, r12, lr
        bne 1b
        pop {r4, r5, pc}
        end te_add_up_88816f2d
