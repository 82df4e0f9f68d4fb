"""depthwise_conv_2d: models, layers and nodes, corners and refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.draft import Draft
from kits.kernel_layers import (
    KernelCases,
    Pair,
    Rng,
    any_zero_point,
    clamp,
    filters,
    image_layer,
    right_shifting,
    window,
)
from kits.nodes import fused_activation, weighted, window_options
from kits.tflite_builder import TfliteBuilder
from kits.weighted_models import Kind, both_kinds, geometry, weighted_model
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D


def depthwise(
    *,
    size: tuple[int, int] = (5, 6),
    channels: int = 3,
    multiplier: int = 2,
    stated_multiplier: int | None = None,
    kernel: tuple[int, int] = (3, 2),
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    padding: str = "same",
    activation: str = "none",
    per_channel: bool = True,
    bias: bool = True,
    weights_type: str = "int8",
    weights_axis: int = 3,
    zero_points: tuple[int, int] = (-3, 5),
    input_scale: float = 0.05,
    spread: float = 1.0,
    seed: int = 1,
) -> bytes:
    rng = np.random.default_rng(seed)
    outputs = channels * multiplier
    rows, columns = (tflm.output_size(size[i], kernel[i], stride[i], dilation[i], padding) for i in (0, 1))
    builder = TfliteBuilder()
    source = builder.tensor((1, *size, channels), scale=input_scale, zero_point=zero_points[0])
    shape = (1, *kernel, outputs)
    low, high = (-8, 8) if weights_type == "int4" else (-128, 128)
    scale = rng.uniform(0.001, 0.02, outputs if per_channel else 1)
    data = rng.integers(low, high, shape).astype(np.int8)
    weights = builder.tensor(shape, weights_type, scale=scale, axis=weights_axis, data=data)
    operands = [source, weights]
    if bias:
        values = rng.integers(-3000, 3000, outputs).astype(np.int32)
        operands.append(builder.tensor((outputs,), "int32", scale=input_scale * scale, data=values))
    output_scale = input_scale * 0.1 * high**0.5 * np.sqrt(np.prod(kernel)) * spread
    target = builder.tensor((1, rows, columns, outputs), scale=output_scale, zero_point=zero_points[1])
    builder.operator(
        "depthwise_conv_2d",
        operands,
        [target],
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        dilation_h_factor=dilation[0],
        dilation_w_factor=dilation[1],
        depth_multiplier=multiplier if stated_multiplier is None else stated_multiplier,
        fused_activation_function=activation,
    )
    return builder.build([source], [target])


small = st.integers(1, 4)


@settings(max_examples=100, deadline=None)
@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    channels=small,
    multiplier=st.integers(1, 3),
    kernel=st.tuples(small, small),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=tflm.paddings,
    activation=tflm.activations,
    per_channel=st.booleans(),
    bias=st.booleans(),
    weights_type=st.sampled_from(["int8", "int8", "int4"]),
    zero_points=st.tuples(tflm.zero_points, tflm.zero_points),
    input_scale=tflm.scales,
    spread=st.sampled_from([0.01, 0.3, 1.0, 30.0]),
    seed=tflm.seeds,
)
def test_equals_tflm(seed: int, **arguments: Any) -> None:
    assume(tflm.window_fits(arguments))
    tflm.assert_bit_exact(depthwise(seed=seed, **arguments), seed)


def test_parameters() -> None:
    (layer,) = parse_graph(read_model(depthwise(), "m"))
    assert layer.params.weights.shape == (3, 2, 6)
    assert layer.params.depth_multiplier == 2
    assert (layer.params.input_channels, layer.params.output_channels) == (3, 6)
    assert layer.macs == 5 * 6 * 6 * 3 * 2


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [({"stated_multiplier": 3}, "times depth_multiplier"), ({"weights_axis": 0}, "1 scale")],
)
def test_refusals(arguments: dict[str, Any], rule: str) -> None:
    if "weights_axis" in arguments:  # one scale per channel along an axis of length 1: the graph itself is unsound
        with pytest.raises(ModelError, match="6 scales along axis 0 of length 1"):
            read_model(depthwise(**arguments), "m")
        return
    with pytest.raises(ModelError, match=rule):
        check(read_model(depthwise(**arguments), "m"))


def depthwise_conv_2d_model(rng: Rng, kind: Kind, **arguments: Any) -> bytes:
    size, kernel, output, options = geometry(rng)
    channels, multiplier = int(rng.integers(1, 10)), int(rng.choice([1, 1, 2, 3]))
    outputs = channels * multiplier
    shapes = (1, *size, channels), (1, *kernel, outputs), (1, *output, outputs)
    options["depth_multiplier"] = multiplier
    per_channel = bool(rng.random() < 0.7)
    return weighted_model(
        rng, kind, "depthwise_conv_2d", *shapes, axis=3, per_channel=per_channel, **options, **arguments
    )


def depthwise_conv_2d_node(draft: Draft) -> None:
    source = draft.images(draft.kind())
    options, kernel, size = window_options(draft, source)
    multiplier = draft.pick(1, 1, 1, 2, 3, 1, 1, 1, 2, draft.number(4, 9))
    outputs = source.shape[3] * multiplier
    weighted(
        draft, "depthwise_conv_2d", source, (1, *kernel, outputs), (source.shape[0], *size, outputs), axis=3,
        taps=math.prod(kernel), depth_multiplier=multiplier,
        fused_activation_function=fused_activation(draft), **options,
    )  # fmt: skip


# -- layers ----------------------------------------------------------------------------------------------------------


def depthwise_conv_2d_layer(
    rng: Rng,
    *,
    input_channels: int | None = None,
    depth_multiplier: int | None = None,
    input_zero_point: int | None = None,
    output_zero_point: int | None = None,
    limits: Pair | None = None,
    corners: bool = True,
    **geometry: Any,
) -> Layer:
    """A depthwise convolution; `geometry` as for `window`."""
    w = window(rng, **geometry)
    inputs = input_channels or int(rng.integers(1, 14))
    multiplied = depth_multiplier or int(rng.choice([1, 1, 1, 2, 3]))
    outputs = inputs * multiplied
    taps = w.kernel_h * w.kernel_w
    f = filters(rng, outputs, taps, corners)
    zero = any_zero_point(rng, corners) if output_zero_point is None else output_zero_point
    low, high = limits or clamp(rng, zero, corners)
    params = DepthwiseConv2D(
        window=w,
        input_channels=inputs,
        output_channels=outputs,
        depth_multiplier=multiplied,
        input_zero_point=any_zero_point(rng, corners) if input_zero_point is None else input_zero_point,
        output_zero_point=zero,
        weights=np.ascontiguousarray(f.weights.T).reshape(w.kernel_h, w.kernel_w, outputs),
        weight_bits=8,
        bias=f.bias,
        multiplier=f.multiplier,
        shift=f.shift,
        activation_min=low,
        activation_max=high,
    )
    return image_layer("depthwise_conv_2d", params, w, inputs, outputs, w.output_h * w.output_w * outputs * taps)


def depthwise_3x3_layer(rng: Rng, **wanted: Any) -> Layer:
    """A depthwise convolution by 3x3."""
    fixed = {"kernel": (3, 3), "dilation": (1, 1), "depth_multiplier": 1}
    return right_shifting(depthwise_conv_2d_layer(rng, **{**fixed, **wanted}))


def _corners(rng: Rng) -> list[Layer]:
    return [
        depthwise_conv_2d_layer(rng, size=(12, 7), kernel=(3, 3), input_channels=64, depth_multiplier=1),
        depthwise_conv_2d_layer(rng, size=(6, 6), kernel=(3, 3), padding="valid", input_channels=5, depth_multiplier=1),
        depthwise_conv_2d_layer(rng, size=(3, 3), kernel=(7, 7), padding="same", depth_multiplier=1),
        depthwise_conv_2d_layer(rng, input_zero_point=0, padding="same", depth_multiplier=1),
    ]


def _corners_3x3(rng: Rng) -> list[Layer]:
    return [
        depthwise_3x3_layer(rng, size=(25, 5), stride=(1, 1), padding="same", input_channels=64),
        depthwise_3x3_layer(rng, size=(9, 12), stride=(2, 2), padding="same"),
        depthwise_3x3_layer(rng, size=(9, 12), stride=(3, 2), padding="valid"),
        depthwise_3x3_layer(rng, size=(4, 5), padding=(4, 6)),
        depthwise_3x3_layer(rng, size=(1, 1), padding="same", input_channels=1),
    ]


def _corners_grouped(rng: Rng) -> list[Layer]:
    return [
        depthwise_conv_2d_layer(
            rng, size=(49, 40), kernel=(10, 8), stride=(2, 2), input_channels=1, depth_multiplier=8
        ),
    ]


MODELS = both_kinds("depthwise_conv_2d", depthwise_conv_2d_model)
NODES = {"depthwise_conv_2d": depthwise_conv_2d_node}
LAYERS = {"depthwise_conv_2d": depthwise_conv_2d_layer}
KERNEL_CASES = {
    "portable/depthwise_conv_2d": KernelCases(
        corners=_corners, sensitive=lambda rng: depthwise_conv_2d_layer(rng, depth_multiplier=1, corners=False)
    ),
    "portable/depthwise_conv_2d_3x3": KernelCases(depthwise_3x3_layer, _corners_3x3),
    "portable/depthwise_conv_2d_grouped": KernelCases(
        corners=_corners_grouped, sensitive=lambda rng: depthwise_conv_2d_layer(rng, corners=False)
    ),
}
