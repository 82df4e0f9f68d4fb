/* SPDX-License-Identifier: Apache-2.0 */
/* hello_world_int8 for TensorFlow Lite Micro: the arena, and the table that main reads. The interpreter is in te_tflm.cc. */
#include "te_model.h"

#include <stdint.h>

#include "te_model_arena.h"
#include "te_model_config.h"
#include "te_tflm.h"

static uint8_t te_model_arena[TE_MODEL_ARENA_BYTES] __attribute__((aligned(16)));

static const te_tensor_info input_infos[] = {
    {"int8", "1x1", "0.024480116", -128, 1}, /* serving_default_dense_input:0 */
};

static const te_tensor_info output_infos[] = {
    {"int8", "1x1", "0.008290957", 5, 1}, /* StatefulPartitionedCall:0 */
};

/* The interpreter may reuse the memory of a layer's output for what comes after, so none can be read: no spans. */
static const te_layer_info layer_infos[TE_MODEL_LAYER_COUNT] = {
    {0, 0, 0}, /* fully_connected */
    {1, 0, 0}, /* fully_connected */
    {2, 0, 0}, /* fully_connected */
};

const te_model_table te_model_info = {
    .model = "hello_world_int8",
    .digest = "505ee4fae7fa46ab",
    .runtime = "tflm",
    .arena_bytes = TE_MODEL_ARENA_BYTES,
    .selftest_crc = 0x12345678u,
    .input_count = 1,
    .output_count = 1,
    .layer_count = TE_MODEL_LAYER_COUNT,
    .inputs = input_infos,
    .outputs = output_infos,
    .layers = layer_infos,
};

int te_model_init(void) { return te_tflm_prepare(te_model_arena, TE_MODEL_ARENA_BYTES); }

int te_model_invoke(te_layer_done done, void *context) { return te_tflm_invoke(done, context); }

void *te_model_input(uint32_t i) { return te_tflm_input(i); }

const void *te_model_output(uint32_t i) { return te_tflm_output(i); }
