/* SPDX-License-Identifier: Apache-2.0 */
/* sine: the table by which the measuring firmware knows it. Programs of your own need no more than sine.h. */
#include "te_model.h"

#include "sine.h"

static const te_tensor_info inputs[] = {
    {"int8", "1x1", "SCALE", ZERO, 1},
};

static const te_tensor_info outputs[] = {
    {"int8", "1x1", "SCALE", ZERO, 1},
};

static const te_layer_info layers[SINE_LAYER_COUNT] = {
    {0, 0, 0}, /* fully_connected */
    {1, 0, 0}, /* fully_connected */
    {2, 0, 0}, /* fully_connected */
};

const te_model_info sine_info = {
    .model = "sine",
    .digest = "DIGEST",
    .runtime = "tflm",
    .arena_bytes = SINE_ARENA_BYTES,
    .selftest_crc = 0x12345678u,
    .input_count = SINE_INPUT_COUNT,
    .output_count = SINE_OUTPUT_COUNT,
    .layer_count = SINE_LAYER_COUNT,
    .inputs = inputs,
    .outputs = outputs,
    .input_ranges = 0,
    .layers = layers,
    .init = sine_init,
    .invoke = sine_invoke,
    .invoke_layers = sine_invoke_layers,
    .input = sine_input,
    .output = sine_output,
};
