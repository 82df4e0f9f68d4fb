/* SPDX-License-Identifier: Apache-2.0 */
/* vww_96_int8: the table by which the measuring firmware knows it. Programs of your own need no more than vww_96_int8.h. */
#include "te_model.h"

#include "vww_96_int8.h"

static const te_tensor_info inputs[] = {
    {"int8", "1x96x96x3", "0.003921569", -128, 27648}, /* input_1_int8 */
};

static const te_tensor_info outputs[] = {
    {"int8", "1x2", "0.00390625", -128, 2}, /* Identity_int8 */
};

static const te_layer_info layers[VWW_96_INT8_LAYER_COUNT] = {
    {0, 0, 0}, /* conv_2d */
    {1, 0, 0}, /* depthwise_conv_2d */
    {2, 0, 0}, /* conv_2d */
    {3, 0, 0}, /* depthwise_conv_2d */
    {4, 0, 0}, /* conv_2d */
    {5, 0, 0}, /* depthwise_conv_2d */
    {6, 0, 0}, /* conv_2d */
    {7, 0, 0}, /* depthwise_conv_2d */
    {8, 0, 0}, /* conv_2d */
    {9, 0, 0}, /* depthwise_conv_2d */
    {10, 0, 0}, /* conv_2d */
    {11, 0, 0}, /* depthwise_conv_2d */
    {12, 0, 0}, /* conv_2d */
    {13, 0, 0}, /* depthwise_conv_2d */
    {14, 0, 0}, /* conv_2d */
    {15, 0, 0}, /* depthwise_conv_2d */
    {16, 0, 0}, /* conv_2d */
    {17, 0, 0}, /* depthwise_conv_2d */
    {18, 0, 0}, /* conv_2d */
    {19, 0, 0}, /* depthwise_conv_2d */
    {20, 0, 0}, /* conv_2d */
    {21, 0, 0}, /* depthwise_conv_2d */
    {22, 0, 0}, /* conv_2d */
    {23, 0, 0}, /* depthwise_conv_2d */
    {24, 0, 0}, /* conv_2d */
    {25, 0, 0}, /* depthwise_conv_2d */
    {26, 0, 0}, /* conv_2d */
    {27, 0, 0}, /* average_pool_2d */
    {28, 0, 0}, /* reshape */
    {29, 0, 0}, /* fully_connected */
    {30, 0, 0}, /* softmax */
};

const te_model_info vww_96_int8_info = {
    .model = "vww_96_int8",
    .digest = "597a384c8c2c8a12",
    .runtime = "tflm",
    .arena_bytes = VWW_96_INT8_ARENA_BYTES,
    .selftest_crc = 0x12345678u,
    .input_count = VWW_96_INT8_INPUT_COUNT,
    .output_count = VWW_96_INT8_OUTPUT_COUNT,
    .layer_count = VWW_96_INT8_LAYER_COUNT,
    .inputs = inputs,
    .outputs = outputs,
    .input_ranges = 0,
    .layers = layers,
    .init = vww_96_int8_init,
    .invoke = vww_96_int8_invoke,
    .invoke_layers = vww_96_int8_invoke_layers,
    .input = vww_96_int8_input,
    .output = vww_96_int8_output,
};
