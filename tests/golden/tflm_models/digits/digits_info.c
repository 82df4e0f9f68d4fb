/* SPDX-License-Identifier: Apache-2.0 */
/* digits: the table by which the measuring firmware knows it. Programs of your own need no more than digits.h. */
#include "te_model.h"

#include "digits.h"

static const te_tensor_info inputs[] = {
    {"int8", "1x8x8x1", "SCALE", ZERO, 64},
};

static const te_tensor_info outputs[] = {
    {"int8", "1x10", "SCALE", ZERO, 10},
};

static const te_layer_info layers[DIGITS_LAYER_COUNT] = {
    {0, 0, 0}, /* conv_2d */
    {1, 0, 0}, /* max_pool_2d */
    {2, 0, 0}, /* conv_2d */
    {3, 0, 0}, /* max_pool_2d */
    {4, 0, 0}, /* conv_2d */
    {5, 0, 0}, /* fully_connected */
    {6, 0, 0}, /* softmax */
};

const te_model_info digits_info = {
    .model = "digits",
    .digest = "DIGEST",
    .runtime = "tflm",
    .arena_bytes = DIGITS_ARENA_BYTES,
    .selftest_crc = 0x12345678u,
    .input_count = DIGITS_INPUT_COUNT,
    .output_count = DIGITS_OUTPUT_COUNT,
    .layer_count = DIGITS_LAYER_COUNT,
    .inputs = inputs,
    .outputs = outputs,
    .input_ranges = 0,
    .layers = layers,
    .init = digits_init,
    .invoke = digits_invoke,
    .invoke_layers = digits_invoke_layers,
    .input = digits_input,
    .output = digits_output,
};
