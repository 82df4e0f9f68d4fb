/* SPDX-License-Identifier: Apache-2.0 */
/* hand, compiled ahead of time for cortex-m4f: one function per layer, in order of execution.
 *
 * All tensors that change lie in one arena of 1216 bytes. Tensors share memory when they do not live at the same
 * time, or when a layer can work in place:
 *
 *     offset     bytes  steps      what
 *          0       300     0-0     input
 *          0       300     1-1     out
 *        304       300     0-0     scratch of operator 0
 *        608       300     0-1     sum_/
 *        912       300     0-1     state
 */
#include "te_model.h"

#include <stdint.h>
#include <string.h>

#include "te_model_config.h"
#include "te_model_data.h"
#include "te_model_kernels.h"

static uint8_t te_model_arena[1216] __attribute__((aligned(8)));

/* Step 0: add, operator 0 of the file.
 *   in:     int8 1x300 input
 *   out:    int8 1x300 sum_/
 *   kernel: test/add_bias, 300 MACs
 *   scratch: 300 bytes at 304
 */
static void te_model_l00_add(const int8_t *in, uint8_t *scratch, int8_t *out) {
  for (int i = 0; i < 300; ++i) {
    scratch[i] = (uint8_t)(in[i] + te_model_l00_bias[i]);
  }
  memcpy(out, scratch, 300);
}

static __attribute__((noinline)) void te_model_run_00_add(void) {
  te_model_l00_add((const int8_t *)(te_model_arena + 0), (te_model_arena + 304), (int8_t *)(te_model_arena + 608));
}

/* Step 1: svdf, operator 1 of the file.
 *   in:     int8 1x300 sum_/, int8 1x300 state
 *   out:    int8 1x300 out
 *   kernel: test/add_up, 0 MACs
 */
static __attribute__((noinline)) void te_model_run_01_svdf(void) {
  te_add_up_88816f2d(te_model_l01_layer, (const int8_t *)(te_model_arena + 608), (int8_t *)(te_model_arena + 912), (int8_t *)(te_model_arena + 0));
}

/* ---- the table that main reads ---- */

static void *const inputs[] = {
    te_model_arena + 0, /* input */
};

static const void *const outputs[] = {
    te_model_arena + 0, /* out */
};

static const te_tensor_info input_infos[] = {
    {"int8", "1x300", "0.5", -3, 300},
};

static const te_tensor_info output_infos[] = {
    {"int8", "1x300", "0.5", -3, 300},
};

static const te_span spans[] = {
    {te_model_arena + 608, 300},
    {te_model_arena + 0, 300},
};

static const te_layer_info layer_infos[TE_MODEL_LAYER_COUNT] = {
    {0, 1, spans + 0}, /* add */
    {1, 1, spans + 1}, /* svdf */
};

const te_model_table te_model_info = {
    .model = "hand",
    .digest = "54401d76dce742fe",
    .runtime = "aot",
    .arena_bytes = sizeof te_model_arena,
    .selftest_crc = 0x00001234u,
    .input_count = 1,
    .output_count = 1,
    .layer_count = TE_MODEL_LAYER_COUNT,
    .inputs = input_infos,
    .outputs = output_infos,
    .layers = layer_infos,
};

int te_model_init(void) {
  for (uint32_t i = 0; i < 300; ++i) { /* state */
    te_model_arena[912 + i] = 253;
  }
  return 0;
}

int te_model_invoke(te_layer_done done, void *context) {
  te_model_run_00_add();
  if (done) {
    done(context, 0);
  }
  te_model_run_01_svdf();
  if (done) {
    done(context, 1);
  }
  return 0;
}

void *te_model_input(uint32_t i) { return inputs[i]; }

const void *te_model_output(uint32_t i) { return outputs[i]; }
