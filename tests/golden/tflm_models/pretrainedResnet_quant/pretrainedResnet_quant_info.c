/* SPDX-License-Identifier: Apache-2.0 */
/* pretrainedResnet_quant: the table by which the measuring firmware knows it. Programs of your own need no more than pretrainedResnet_quant.h. */
#include "te_model.h"

#include "pretrainedResnet_quant.h"

static const te_tensor_info inputs[] = {
    {"int8", "1x32x32x3", "1.0", -128, 3072}, /* input_1_int8 */
};

static const te_tensor_info outputs[] = {
    {"int8", "1x10", "0.00390625", -128, 10}, /* Identity_int8 */
};

static const te_layer_info layers[PRETRAINEDRESNET_QUANT_LAYER_COUNT] = {
    {0, 0, 0}, /* conv_2d */
    {1, 0, 0}, /* conv_2d */
    {2, 0, 0}, /* conv_2d */
    {3, 0, 0}, /* add */
    {4, 0, 0}, /* conv_2d */
    {5, 0, 0}, /* conv_2d */
    {6, 0, 0}, /* conv_2d */
    {7, 0, 0}, /* add */
    {8, 0, 0}, /* conv_2d */
    {9, 0, 0}, /* conv_2d */
    {10, 0, 0}, /* conv_2d */
    {11, 0, 0}, /* add */
    {12, 0, 0}, /* average_pool_2d */
    {13, 0, 0}, /* reshape */
    {14, 0, 0}, /* fully_connected */
    {15, 0, 0}, /* softmax */
};

const te_model_info pretrainedResnet_quant_info = {
    .model = "pretrainedResnet_quant",
    .digest = "3c002613d1b2475e",
    .runtime = "tflm",
    .arena_bytes = PRETRAINEDRESNET_QUANT_ARENA_BYTES,
    .selftest_crc = 0x12345678u,
    .input_count = PRETRAINEDRESNET_QUANT_INPUT_COUNT,
    .output_count = PRETRAINEDRESNET_QUANT_OUTPUT_COUNT,
    .layer_count = PRETRAINEDRESNET_QUANT_LAYER_COUNT,
    .inputs = inputs,
    .outputs = outputs,
    .input_ranges = 0,
    .layers = layers,
    .init = pretrainedResnet_quant_init,
    .invoke = pretrainedResnet_quant_invoke,
    .invoke_layers = pretrainedResnet_quant_invoke_layers,
    .input = pretrainedResnet_quant_input,
    .output = pretrainedResnet_quant_output,
};
