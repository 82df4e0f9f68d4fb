"""Whole small models, as files: good ones, and ones that must be refused."""

from __future__ import annotations

import itertools

import numpy as np

from kits.tflite_builder import TfliteBuilder


def small_convolution(channels: int = 8, size: int = 8) -> bytes:
    """int8 [1, size, size, 1] -> conv_2d 3x3 -> fully_connected -> 4 logits."""
    random = np.random.default_rng(7)
    builder = TfliteBuilder()
    image = builder.tensor([1, size, size, 1], scale=0.02, zero_point=-3, name="image")
    filters = builder.tensor(
        [channels, 3, 3, 1],
        scale=[0.01 + 0.001 * i for i in range(channels)],
        data=random.integers(-127, 128, (channels, 3, 3, 1), np.int8),
    )
    bias = builder.tensor([channels], "int32", scale=0.0002, data=random.integers(-500, 500, channels, np.int32))
    features = builder.tensor([1, size, size, channels], scale=0.03, zero_point=-128, name="features")
    options = {"padding": "same", "stride_w": 1, "stride_h": 1, "fused_activation_function": "relu"}
    builder.operator("conv_2d", [image, filters, bias], [features], **options)
    inputs = size * size * channels
    weights = builder.tensor([4, inputs], scale=0.01, data=random.integers(-127, 128, (4, inputs), np.int8))
    logits = builder.tensor([1, 4], scale=0.5, zero_point=4, name="logits")
    builder.operator("fully_connected", [features, weights, -1], [logits])
    return builder.build([image], [logits])


def _dense(activation: str, weight: str, scale: float | None, inputs: int = 4, outputs: int = 4) -> bytes:
    builder = TfliteBuilder()
    source = builder.tensor([1, inputs], activation, scale=scale, name="source")
    numbers = np.random.default_rng(1).integers(-127, 128, (outputs, inputs))
    weights = builder.tensor(
        [outputs, inputs],
        weight,
        scale=0.01 if weight == "int8" else None,
        data=numbers.astype(weight),
    )
    result = builder.tensor([1, outputs], activation, scale=scale, name="result")
    builder.operator("fully_connected", [source, weights, -1], [result])
    return builder.build([source], [result])


def float_model() -> bytes:
    """Weights and activations float32."""
    return _dense("float32", "float32", None)


def hybrid_model() -> bytes:
    """Weights int8, activations float32: what a converter makes without a representative data set."""
    return _dense("float32", "int8", None)


def too_big_for_flash() -> bytes:
    """1.5 MB of weights."""
    return _dense("int8", "int8", 0.1, inputs=1500, outputs=1000)


def too_big_for_ram() -> bytes:
    """A feature map of 512 KB between two convolutions, which is an output too: its rows cannot go one by one."""
    random = np.random.default_rng(7)
    builder = TfliteBuilder()
    tensors = [builder.tensor([1, 128, 128, channels], scale=0.02, name=f"map{channels}") for channels in (1, 32, 2)]
    for (source, inputs), (result, outputs) in itertools.pairwise(zip(tensors, (1, 32, 2), strict=True)):
        data = random.integers(-127, 128, (outputs, 1, 1, inputs), np.int8)
        filters = builder.tensor([outputs, 1, 1, inputs], scale=[0.01] * outputs, data=data)
        builder.operator("conv_2d", [source, filters, -1], [result], padding="same", stride_w=1, stride_h=1)
    return builder.build([tensors[0]], tensors[1:])


def unknown_operator() -> bytes:
    """An operator no kernel exists for."""
    builder = TfliteBuilder()
    source = builder.tensor([1, 4], scale=0.1, name="source")
    result = builder.tensor([1, 4], scale=0.1, name="result")
    builder.operator("hashtable_lookup", [source], [result])
    return builder.build([source], [result])
