/* SPDX-License-Identifier: Apache-2.0 */
/* ad01_int8: the table by which the measuring firmware knows it. Programs of your own need no more than ad01_int8.h. */
#include "te_model.h"

#include "ad01_int8.h"

static const te_tensor_info inputs[] = {
    {"int8", "1x640", "0.39101523", 89, 640}, /* input_1 */
};

static const te_tensor_info outputs[] = {
    {"int8", "1x640", "0.36449847", 96, 640}, /* Identity */
};

static const te_layer_info layers[AD01_INT8_LAYER_COUNT] = {
    {0, 0, 0}, /* fully_connected */
    {1, 0, 0}, /* fully_connected */
    {2, 0, 0}, /* fully_connected */
    {3, 0, 0}, /* fully_connected */
    {4, 0, 0}, /* fully_connected */
    {5, 0, 0}, /* fully_connected */
    {6, 0, 0}, /* fully_connected */
    {7, 0, 0}, /* fully_connected */
    {8, 0, 0}, /* fully_connected */
    {9, 0, 0}, /* fully_connected */
};

const te_model_info ad01_int8_info = {
    .model = "ad01_int8",
    .digest = "87cf24194ef93d1d",
    .runtime = "tflm",
    .arena_bytes = AD01_INT8_ARENA_BYTES,
    .selftest_crc = 0x12345678u,
    .input_count = AD01_INT8_INPUT_COUNT,
    .output_count = AD01_INT8_OUTPUT_COUNT,
    .layer_count = AD01_INT8_LAYER_COUNT,
    .inputs = inputs,
    .outputs = outputs,
    .input_ranges = 0,
    .layers = layers,
    .init = ad01_int8_init,
    .invoke = ad01_int8_invoke,
    .invoke_layers = ad01_int8_invoke_layers,
    .input = ad01_int8_input,
    .output = ad01_int8_output,
};
