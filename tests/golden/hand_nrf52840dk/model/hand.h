/* SPDX-License-Identifier: Apache-2.0 */
/* hand: a neural network as a C library, made by tinyedge from a .tflite (SHA-256 54401d76dce742fe...).
 *
 *     hand_init();
 *     hand_input_t *in = (hand_input_t *)hand_input(0);
 *     for (int i = 0; i < HAND_INPUT_ELEMENTS; ++i) {
 *       in[i] = hand_quantize(measured(i));
 *     }
 *     hand_invoke();
 *     const hand_output_t *out = (const hand_output_t *)hand_output(0);
 *     for (int i = 0; i < HAND_OUTPUT_ELEMENTS; ++i) {
 *       use(hand_dequantize(out[i]));
 *     }
 *
 * Memory.  Everything that changes lies in an arena of 912 bytes, and beside it 304 bytes of state, which lasts.
 *          hand_invoke overwrites the inputs: write all of them before each call.
 *          Outputs are valid until the next invoke, and until an input is written: they may share memory.
 *          Pointers to inputs and outputs stay the same.
 *          Between reading the outputs and writing the next inputs the arena is free for any other use.
 *
 * Threads. Functions without `_in` work in hand_arena: one caller at a time. Those with `_in` work in memory of the
 *          caller: any number may run at once, each in memory of its own. Nothing else is ever written.
 *
 * Place.   TE_SECTION_WEIGHTS and TE_SECTION_ARENA (te_section.h) put weights and arena into sections of your choice.
 */
#ifndef HAND_H
#define HAND_H

#include <stdint.h>

#include "te_affine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HAND_ARENA_BYTES 912
#define HAND_ARENA_ALIGNMENT 8 /* of the address of an arena, in bytes */
#define HAND_STATE_BYTES 304
#define HAND_KEEPS_INPUTS 0
#define HAND_INPUT_COUNT 1
#define HAND_OUTPUT_COUNT 1
#define HAND_LAYER_COUNT 2

/* Input 0: int8 [1, 300], `input` */
typedef int8_t hand_input_t;
#define HAND_INPUT_BYTES 300
#define HAND_INPUT_ELEMENTS 300
#define HAND_INPUT_RANK 2
#define HAND_INPUT_SHAPE {1, 300}
#define HAND_INPUT_SCALE 0.5f
#define HAND_INPUT_ZERO_POINT (-3)

/* Output 0: int8 [1, 300], `out` */
typedef int8_t hand_output_t;
#define HAND_OUTPUT_BYTES 300
#define HAND_OUTPUT_ELEMENTS 300
#define HAND_OUTPUT_RANK 2
#define HAND_OUTPUT_SHAPE {1, 300}
#define HAND_OUTPUT_SCALE 0.5f
#define HAND_OUTPUT_ZERO_POINT (-3)

/* The integer that stands for a real value in the input, saturated. */
static inline int8_t hand_quantize(float value) {
  return (int8_t)te_affine_quantize(value, HAND_INPUT_SCALE, HAND_INPUT_ZERO_POINT, -128, 127);
}

/* The real value that an integer in the output stands for. */
static inline float hand_dequantize(int8_t q) {
  return te_affine_dequantize(q, HAND_OUTPUT_SCALE, HAND_OUTPUT_ZERO_POINT);
}

/* ---- in the library's own memory ---- */

/* The arena that the functions below work in. */
extern uint8_t hand_arena[HAND_ARENA_BYTES] __attribute__((aligned(HAND_ARENA_ALIGNMENT)));

/* Call it once, before all others; again, it sets the state back to its start. Returns 0. */
int hand_init(void);

/* One inference over what the inputs hold. Returns 0. */
int hand_invoke(void);

/* The same, and `done(context, layer)` after each of the HAND_LAYER_COUNT layers, to measure them or to let others
 * run in between. */
int hand_invoke_layers(void (*done)(void *context, uint32_t layer), void *context);

/* The first byte of input or output `i`, aligned for its type; null when there is none. */
void *hand_input(uint32_t i);
const void *hand_output(uint32_t i);

/* ---- in memory of the caller ---- */

/* What lasts from one inference to the next. Set it with hand_reset before its first use. */
typedef struct {
  uint8_t bytes[HAND_STATE_BYTES] __attribute__((aligned(HAND_ARENA_ALIGNMENT)));
} hand_state;

/* The one that the functions without `_in` use. */
extern hand_state hand_own_state;

/* Set a state to its start. */
void hand_reset(hand_state *state);

/* One inference in HAND_ARENA_BYTES bytes at `arena`, which goes on from `state`.
 * Returns 0; or 1 when one of them is null, or the arena not aligned, and nothing was done. */
int hand_invoke_in(void *arena, hand_state *state);

/* The first byte of input or output `i` in such an arena; null when there is none. */
void *hand_input_in(void *arena, hand_state *state, uint32_t i);
const void *hand_output_in(void *arena, hand_state *state, uint32_t i);

#ifdef __cplusplus
}
#endif

#endif
