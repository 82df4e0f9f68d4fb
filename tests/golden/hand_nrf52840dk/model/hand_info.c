/* SPDX-License-Identifier: Apache-2.0 */
/* hand: the table by which the measuring firmware knows it. Programs of your own need no more than hand.h. */
#include "te_model.h"

#include "hand.h"

static const te_tensor_info inputs[] = {
    {"int8", "1x300", "0.5", -3, 300}, /* input */
};

static const te_tensor_info outputs[] = {
    {"int8", "1x300", "0.5", -3, 300}, /* out */
};

static const te_span spans[] = {
    {hand_arena + 608, 300},
    {hand_arena + 0, 300},
};

static const te_layer_info layers[HAND_LAYER_COUNT] = {
    {0, 1, spans + 0}, /* add */
    {1, 1, spans + 1}, /* svdf */
};

const te_model_info hand_info = {
    .model = "hand",
    .digest = "54401d76dce742fe",
    .runtime = "aot",
    .arena_bytes = HAND_ARENA_BYTES,
    .selftest_crc = 0x00001234u,
    .input_count = HAND_INPUT_COUNT,
    .output_count = HAND_OUTPUT_COUNT,
    .layer_count = HAND_LAYER_COUNT,
    .inputs = inputs,
    .outputs = outputs,
    .input_ranges = 0,
    .layers = layers,
    .init = hand_init,
    .invoke = hand_invoke,
    .invoke_layers = hand_invoke_layers,
    .input = hand_input,
    .output = hand_output,
};
