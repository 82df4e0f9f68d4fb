"""Convolutions that kernels with conditions can run, and the corners of their geometries and clamps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from kits.kernel_layers import Rng
from ops.depthwise_conv_2d import depthwise_conv_2d_layer
from tinyedge.ops.contract import Layer

Maker = Callable[..., Layer]


def conv_corners(rng: Rng, make: Maker, fused: Maker) -> list[Layer]:
    """Odd sizes, borders wider than the input, strides and dilations, all clamps.

    make, fused  what makes a layer of a geometry, without and with a fused ReLU
    """
    rows: dict[str, Any] = {"stride": (1, 1), "dilation": (1, 1)}
    same: dict[str, Any] = {"kernel": (3, 3), "padding": "same", **rows}
    return [
        *(each(rng, size=(10, 9), input_channels=3, output_channels=16, **same) for each in (make, fused)),
        *(each(rng, size=(9, 10), input_channels=16, output_channels=8, **same) for each in (make, fused)),
        fused(rng, size=(13, 10), kernel=(10, 4), stride=(2, 2), padding="same", input_channels=1),
        make(rng, size=(8, 8), kernel=(3, 3), stride=(2, 2), padding="same", input_channels=4),
        make(rng, size=(8, 8), kernel=(1, 1), stride=(2, 2), padding="same", input_channels=4),
        make(rng, size=(8, 9), kernel=(1, 1), stride=(3, 2), padding="same", input_channels=5),
        make(rng, size=(2, 2), kernel=(5, 5), padding="same", dilation=(1, 1), stride=(1, 1)),
        make(rng, size=(7, 8), kernel=(3, 2), padding="valid", dilation=(2, 3), input_channels=4),
        make(rng, size=(7, 8), kernel=(2, 3), padding="same", dilation=(1, 2), input_channels=3),
        make(rng, size=(5, 12), kernel=(1, 4), padding="valid", input_channels=4, **rows),
        make(rng, size=(6, 6), kernel=(3, 3), padding=(3, 4), dilation=(1, 1), stride=(2, 1)),
        *(make(rng, size=(3, 4), limits=limits) for limits in ((-128, 50), (-40, 127), (-7, 9), (5, 5))),
        *(fused(rng, size=(3, 4), output_zero_point=z, limits=(z, 127)) for z in (-128, -100, 0, 127)),
    ]


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
