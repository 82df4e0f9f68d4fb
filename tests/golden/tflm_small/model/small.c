/* SPDX-License-Identifier: Apache-2.0 */
/* small for TensorFlow Lite Micro, whose interpreter is in te_tflm.cc.
 *
 * The arena: settled by a test. */
#include "small.h"

#include <stdint.h>

#include "te_section.h"
#include "te_tflm.h"

uint8_t small_arena[SMALL_ARENA_BYTES] TE_SECTION_ARENA;

int small_init(void) { return te_tflm_prepare(small_arena, SMALL_ARENA_BYTES); }

int small_invoke(void) { return te_tflm_invoke(0, 0); }

int small_invoke_layers(void (*done)(void *context, uint32_t layer), void *context) {
  return te_tflm_invoke(done, context);
}

void *small_input(uint32_t i) { return i < SMALL_INPUT_COUNT ? te_tflm_input(i) : 0; }

const void *small_output(uint32_t i) { return i < SMALL_OUTPUT_COUNT ? te_tflm_output(i) : 0; }
