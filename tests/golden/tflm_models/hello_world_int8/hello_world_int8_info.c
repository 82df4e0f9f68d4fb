/* SPDX-License-Identifier: Apache-2.0 */
/* hello_world_int8: the table by which the measuring firmware knows it. Programs of your own need no more than hello_world_int8.h. */
#include "te_model.h"

#include "hello_world_int8.h"

static const te_tensor_info inputs[] = {
    {"int8", "1x1", "0.024480116", -128, 1}, /* serving_default_dense_input:0 */
};

static const te_tensor_info outputs[] = {
    {"int8", "1x1", "0.008290957", 5, 1}, /* StatefulPartitionedCall:0 */
};

static const te_layer_info layers[HELLO_WORLD_INT8_LAYER_COUNT] = {
    {0, 0, 0}, /* fully_connected */
    {1, 0, 0}, /* fully_connected */
    {2, 0, 0}, /* fully_connected */
};

const te_model_info hello_world_int8_info = {
    .model = "hello_world_int8",
    .digest = "505ee4fae7fa46ab",
    .runtime = "tflm",
    .arena_bytes = HELLO_WORLD_INT8_ARENA_BYTES,
    .selftest_crc = 0x12345678u,
    .input_count = HELLO_WORLD_INT8_INPUT_COUNT,
    .output_count = HELLO_WORLD_INT8_OUTPUT_COUNT,
    .layer_count = HELLO_WORLD_INT8_LAYER_COUNT,
    .inputs = inputs,
    .outputs = outputs,
    .input_ranges = 0,
    .layers = layers,
    .init = hello_world_int8_init,
    .invoke = hello_world_int8_invoke,
    .invoke_layers = hello_world_int8_invoke_layers,
    .input = hello_world_int8_input,
    .output = hello_world_int8_output,
};
