/* SPDX-License-Identifier: Apache-2.0 */
/* kws_ref_model: the table by which the measuring firmware knows it. Programs of your own need no more than kws_ref_model.h. */
#include "te_model.h"

#include "kws_ref_model.h"

static const te_tensor_info inputs[] = {
    {"int8", "1x49x10x1", "0.5847029", 83, 490}, /* input_1 */
};

static const te_tensor_info outputs[] = {
    {"int8", "1x12", "0.00390625", -128, 12}, /* Identity */
};

static const te_layer_info layers[KWS_REF_MODEL_LAYER_COUNT] = {
    {0, 0, 0}, /* conv_2d */
    {1, 0, 0}, /* depthwise_conv_2d */
    {2, 0, 0}, /* conv_2d */
    {3, 0, 0}, /* depthwise_conv_2d */
    {4, 0, 0}, /* conv_2d */
    {5, 0, 0}, /* depthwise_conv_2d */
    {6, 0, 0}, /* conv_2d */
    {7, 0, 0}, /* depthwise_conv_2d */
    {8, 0, 0}, /* conv_2d */
    {9, 0, 0}, /* average_pool_2d */
    {10, 0, 0}, /* reshape */
    {11, 0, 0}, /* fully_connected */
    {12, 0, 0}, /* softmax */
};

const te_model_info kws_ref_model_info = {
    .model = "kws_ref_model",
    .digest = "aeea436800704fce",
    .runtime = "tflm",
    .arena_bytes = KWS_REF_MODEL_ARENA_BYTES,
    .selftest_crc = 0x12345678u,
    .input_count = KWS_REF_MODEL_INPUT_COUNT,
    .output_count = KWS_REF_MODEL_OUTPUT_COUNT,
    .layer_count = KWS_REF_MODEL_LAYER_COUNT,
    .inputs = inputs,
    .outputs = outputs,
    .input_ranges = 0,
    .layers = layers,
    .init = kws_ref_model_init,
    .invoke = kws_ref_model_invoke,
    .invoke_layers = kws_ref_model_invoke_layers,
    .input = kws_ref_model_input,
    .output = kws_ref_model_output,
};
