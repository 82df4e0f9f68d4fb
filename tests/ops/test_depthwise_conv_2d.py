"""depthwise_conv_2d against TensorFlow Lite Micro, and its refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph


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
