/* SPDX-License-Identifier: Apache-2.0 */
/* vww_96_int8 for TensorFlow Lite Micro: the arena, and the table that main reads. The interpreter is in te_tflm.cc. */
#include "te_model.h"

#include <stdint.h>

#include "te_model_arena.h"
#include "te_model_config.h"
#include "te_tflm.h"

static uint8_t te_model_arena[TE_MODEL_ARENA_BYTES] __attribute__((aligned(16)));

static const te_tensor_info input_infos[] = {
    {"int8", "1x96x96x3", "0.003921569", -128, 27648}, /* input_1_int8 */
};

static const te_tensor_info output_infos[] = {
    {"int8", "1x2", "0.00390625", -128, 2}, /* Identity_int8 */
};

/* The interpreter may reuse the memory of a layer's output for what comes after, so none can be read: no spans. */
static const te_layer_info layer_infos[TE_MODEL_LAYER_COUNT] = {
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

const te_model_table te_model_info = {
    .model = "vww_96_int8",
    .digest = "597a384c8c2c8a12",
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
