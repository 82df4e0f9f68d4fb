"""Convolutions that kernels with conditions can run: corners kept, impossible ones mended."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from kits.kernel_layers import Rng, conv_2d_layer, depthwise_conv_2d_layer, fully_connected_layer
from tinyedge.ops.contract import Layer

LARGEST_BIAS = 1 << 22


def conv_layer(rng: Rng, **wanted: Any) -> Layer:
    """A convolution without groups or weights of -128, that scales to the right, with biases that leave room."""
    channels = {"input_channels": int(rng.integers(1, 13)), "output_channels": int(rng.integers(4, 15))}
    layer = conv_2d_layer(rng, **{**channels, "groups": 1, **wanted})
    p = layer.params
    fixed = dataclasses.replace(
        p,
        weights=np.maximum(p.weights, -127),
        multiplier=np.where(p.multiplier == 0, 1 << 30, p.multiplier).astype(np.int32),
        shift=np.minimum(p.shift, -1).astype(np.int32),
        bias=np.clip(p.bias, -LARGEST_BIAS, LARGEST_BIAS).astype(np.int32),
    )
    return dataclasses.replace(layer, params=fixed)


def relu_layer(rng: Rng, **wanted: Any) -> Layer:
    """A convolution as with a fused ReLU: a healthy scale, nothing below the output's zero point of -128."""
    return conv_layer(rng, **{"output_zero_point": -128, "limits": (-128, 127), "corners": False, **wanted})


def right_shifting(layer: Layer) -> Layer:
    """The layer as short requantization takes it: all scales to the right, biases that keep sums below 2**30."""
    p = layer.params
    fixed = dataclasses.replace(
        p,
        shift=np.where(p.multiplier == 0, p.shift, np.minimum(p.shift, -1)).astype(np.int32),
        bias=np.clip(p.bias, -(1 << 29), 1 << 29).astype(np.int32),
    )
    return dataclasses.replace(layer, params=fixed)


def blocks_layer(rng: Rng, **wanted: Any) -> Layer:
    """A convolution for kernels that compute some channels by two pixels."""
    channels = {"input_channels": int(rng.integers(1, 13)), "output_channels": int(rng.integers(4, 15))}
    return right_shifting(conv_2d_layer(rng, **{**channels, "groups": 1, **wanted}))


def depthwise_layer(rng: Rng, *, folded: bool = False, **wanted: Any) -> Layer:
    """A depthwise layer, 3x3 unless asked otherwise, whose scales shift right.

    folded  with a fused ReLU and exponents as they are in real models
    """
    given: dict[str, Any] = {"kernel": (3, 3), "dilation": (1, 1), "depth_multiplier": 1, "input_channels": 5}
    given["stride"] = (1, 1) if rng.random() < 0.6 else (2, 2)
    if folded:
        given |= {"output_zero_point": -128, "limits": (-128, 127)}
    layer = depthwise_conv_2d_layer(rng, **{**given, **wanted})
    p = layer.params
    shift = rng.integers(-10, -3, len(p.shift)) if folded else np.where(p.multiplier == 0, 0, np.minimum(p.shift, -1))
    bias = np.clip(p.bias, -20000, 20000) if folded else p.bias
    params = dataclasses.replace(p, shift=shift.astype(np.int32), bias=bias.astype(np.int32))
    return dataclasses.replace(layer, params=params)


def depthwise_3x3_layer(rng: Rng, **wanted: Any) -> Layer:
    """A depthwise convolution by 3x3."""
    fixed = {"kernel": (3, 3), "dilation": (1, 1), "depth_multiplier": 1}
    return right_shifting(depthwise_conv_2d_layer(rng, **{**fixed, **wanted}))


def connected_blocks_layer(rng: Rng, **wanted: Any) -> Layer:
    """A fully connected layer for kernels that take four inputs and compute four outputs at a time."""
    fixed = {"inputs": 4 * int(rng.integers(1, 12)), "outputs": int(rng.integers(4, 15)), "weight_zero_point": 0}
    return right_shifting(fully_connected_layer(rng, **{**fixed, **wanted}))
