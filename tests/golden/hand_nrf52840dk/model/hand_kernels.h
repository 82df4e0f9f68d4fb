/* SPDX-License-Identifier: Apache-2.0 */
/* hand: the functions of hand_kernels.S, and where what they read lies. */
#ifndef HAND_KERNELS_H
#define HAND_KERNELS_H

#ifndef __ARM_FEATURE_DSP
#error "hand was made for cortex-m4f: make it again for the core of your board"
#endif

/* te_add_up_layer, an array of words: bytes from its start */
#define TE_ADD_UP_LAYER_STEP 0
#define TE_ADD_UP_LAYER_COUNT 4 /* of elements */

#ifndef __ASSEMBLER__
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

void te_add_up_88816f2d(const uint32_t *layer, const int8_t *value, int8_t *state, int8_t *out);

#ifdef __cplusplus
}
#endif
#endif

#endif
