/* SPDX-License-Identifier: Apache-2.0 */
/* small: the table by which the measuring firmware knows it. Programs of your own need no more than small.h. */
#include "te_model.h"

#include "small.h"

static const te_tensor_info inputs[] = {
    {"int8", "1x8x8x1", "0.02", -3, 64}, /* image */
};

static const te_tensor_info outputs[] = {
    {"int8", "1x4", "0.5", 4, 4}, /* logits */
};

static const te_layer_info layers[SMALL_LAYER_COUNT] = {
    {0, 0, 0}, /* conv_2d */
    {1, 0, 0}, /* fully_connected */
};

const te_model_info small_info = {
    .model = "small",
    .digest = "4f9f9758ba01691d",
    .runtime = "tflm",
    .arena_bytes = SMALL_ARENA_BYTES,
    .selftest_crc = 0x12345678u,
    .input_count = SMALL_INPUT_COUNT,
    .output_count = SMALL_OUTPUT_COUNT,
    .layer_count = SMALL_LAYER_COUNT,
    .inputs = inputs,
    .outputs = outputs,
    .input_ranges = 0,
    .layers = layers,
    .init = small_init,
    .invoke = small_invoke,
    .invoke_layers = small_invoke_layers,
    .input = small_input,
    .output = small_output,
};
