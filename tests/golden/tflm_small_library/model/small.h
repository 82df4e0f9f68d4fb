/* SPDX-License-Identifier: Apache-2.0 */
/* small: a neural network as a C library, made by tinyedge from a .tflite (SHA-256 4f9f9758ba01691d...).
 *
 *     small_init();
 *     small_input_t *in = (small_input_t *)small_input(0);
 *     for (int i = 0; i < SMALL_INPUT_ELEMENTS; ++i) {
 *       in[i] = small_quantize(measured(i));
 *     }
 *     small_invoke();
 *     const small_output_t *out = (const small_output_t *)small_output(0);
 *     for (int i = 0; i < SMALL_OUTPUT_ELEMENTS; ++i) {
 *       use(small_dequantize(out[i]));
 *     }
 *
 * Memory.  Everything that changes lies in an arena of 4096 bytes.
 *          small_invoke overwrites the inputs: write all of them before each call.
 *          Outputs are valid until the next invoke, and until an input is written: they may share memory.
 *          Pointers to inputs and outputs stay the same from small_init on.
 *
 * Threads. One caller at a time: TensorFlow Lite Micro's interpreter keeps what it knows in the arena.
 *
 * Place.   TE_SECTION_WEIGHTS and TE_SECTION_ARENA (te_section.h) put weights and arena into sections of your choice.
 */
#ifndef SMALL_H
#define SMALL_H

#include <stdint.h>

#include "te_affine.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SMALL_ARENA_BYTES 4096
#define SMALL_ARENA_ALIGNMENT 16 /* of the address of an arena, in bytes */
#define SMALL_KEEPS_INPUTS 0
#define SMALL_INPUT_COUNT 1
#define SMALL_OUTPUT_COUNT 1
#define SMALL_LAYER_COUNT 2

/* Input 0: int8 [1, 8, 8, 1], `image` */
typedef int8_t small_input_t;
#define SMALL_INPUT_BYTES 64
#define SMALL_INPUT_ELEMENTS 64
#define SMALL_INPUT_RANK 4
#define SMALL_INPUT_SHAPE {1, 8, 8, 1}
#define SMALL_INPUT_SCALE 0.02f
#define SMALL_INPUT_ZERO_POINT (-3)

/* Output 0: int8 [1, 4], `logits` */
typedef int8_t small_output_t;
#define SMALL_OUTPUT_BYTES 4
#define SMALL_OUTPUT_ELEMENTS 4
#define SMALL_OUTPUT_RANK 2
#define SMALL_OUTPUT_SHAPE {1, 4}
#define SMALL_OUTPUT_SCALE 0.5f
#define SMALL_OUTPUT_ZERO_POINT 4

/* The integer that stands for a real value in the input, saturated. */
static inline int8_t small_quantize(float value) {
  return (int8_t)te_affine_quantize(value, SMALL_INPUT_SCALE, SMALL_INPUT_ZERO_POINT, -128, 127);
}

/* The real value that an integer in the output stands for. */
static inline float small_dequantize(int8_t q) {
  return te_affine_dequantize(q, SMALL_OUTPUT_SCALE, SMALL_OUTPUT_ZERO_POINT);
}

/* ---- in the library's own memory ---- */

/* The arena that the functions below work in. */
extern uint8_t small_arena[SMALL_ARENA_BYTES] __attribute__((aligned(SMALL_ARENA_ALIGNMENT)));

/* Call it once, before all others. Returns 0, or an error code of TensorFlow Lite Micro. */
int small_init(void);

/* One inference over what the inputs hold. Returns 0, or an error code of TensorFlow Lite Micro. */
int small_invoke(void);

/* The same, and `done(context, layer)` after each of the SMALL_LAYER_COUNT layers, to measure them or to let others
 * run in between. */
int small_invoke_layers(void (*done)(void *context, uint32_t layer), void *context);

/* The first byte of input or output `i`, aligned for its type; null when there is none. */
void *small_input(uint32_t i);
const void *small_output(uint32_t i);

#ifdef __cplusplus
}
#endif

#endif
