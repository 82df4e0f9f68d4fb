/* SPDX-License-Identifier: Apache-2.0 */
/* hand, compiled ahead of time for cortex-m4f: one function per layer, in order of execution.
 *
 * All tensors that change lie in one arena of 912 bytes. Tensors share memory when they do not live at the same
 * time, or when a layer can work in place:
 *
 *     offset     bytes  steps      what
 *          0       300     0-0     input
 *          0       300     1-1     out
 *        304       300     0-0     scratch of operator 0
 *        608       300     0-1     sum_/
 *
 * What lasts from one inference to the next lies beside it, in a state of 304 bytes:
 *
 *          0       300     0-1     state
 */
#include "hand.h"

#include <stdint.h>
#include <string.h>

#include "hand_data.h"
#include "hand_kernels.h"
#include "te_section.h"

uint8_t hand_arena[HAND_ARENA_BYTES] TE_SECTION_ARENA;
hand_state hand_own_state;

/* Step 0: add, operator 0 of the file.
 *   in:     int8 1x300 input
 *   out:    int8 1x300 sum_/
 *   kernel: test/add_bias, 300 MACs
 *   scratch: 300 bytes at 304
 */
static void hand_l00_add(const int8_t *in, uint8_t *scratch, int8_t *out) {
  for (int i = 0; i < 300; ++i) {
    scratch[i] = (uint8_t)(in[i] + hand_l00_bias[i]);
  }
  memcpy(out, scratch, 300);
}

static __attribute__((noinline)) void hand_run_00_add(uint8_t *arena) {
  hand_l00_add((const int8_t *)(arena + 0), (arena + 304), (int8_t *)(arena + 608));
}

/* Step 1: svdf, operator 1 of the file.
 *   in:     int8 1x300 sum_/, int8 1x300 state
 *   out:    int8 1x300 out
 *   kernel: test/add_up, 0 MACs
 */
static __attribute__((noinline)) void hand_run_01_svdf(uint8_t *arena, uint8_t *state) {
  te_add_up_88816f2d(hand_l01_layer, (const int8_t *)(arena + 608), (int8_t *)(state + 0), (int8_t *)(arena + 0));
}

/* ---- one after the other ---- */

static __attribute__((noinline)) void run_layers(uint8_t *arena, uint8_t *state, void (*done)(void *context, uint32_t layer),
                                                 void *context) {
  hand_run_00_add(arena);
  if (done) {
    done(context, 0);
  }
  hand_run_01_svdf(arena, state);
  if (done) {
    done(context, 1);
  }
}

void hand_reset(hand_state *state) {
  for (uint32_t i = 0; i < 300; ++i) { /* state */
    state->bytes[0 + i] = 253;
  }
}

int hand_init(void) {
  hand_reset(&hand_own_state);
  return 0;
}

int hand_invoke(void) { return hand_invoke_layers(0, 0); }

int hand_invoke_layers(void (*done)(void *context, uint32_t layer), void *context) {
  run_layers(hand_arena, hand_own_state.bytes, done, context);
  return 0;
}

void *hand_input(uint32_t i) { return hand_input_in(hand_arena, &hand_own_state, i); }

const void *hand_output(uint32_t i) { return hand_output_in(hand_arena, &hand_own_state, i); }

int hand_invoke_in(void *arena, hand_state *state) {
  if (!arena || ((uintptr_t)arena & (HAND_ARENA_ALIGNMENT - 1)) != 0 || !state) {
    return 1;
  }
  run_layers((uint8_t *)arena, state->bytes, 0, 0);
  return 0;
}

void *hand_input_in(void *arena, hand_state *state, uint32_t i) {
  (void)state;
  switch (i) {
    case 0: /* input */
      return (uint8_t *)arena + 0;
    default:
      return 0;
  }
}

const void *hand_output_in(void *arena, hand_state *state, uint32_t i) {
  (void)state;
  switch (i) {
    case 0: /* out */
      return (uint8_t *)arena + 0;
    default:
      return 0;
  }
}
