"""transpose_conv and batch_matmul against TensorFlow Lite Micro, and their refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.random_graph import draw
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph

Shape = tuple[int, ...]


@pytest.mark.parametrize("operator", ["batch_matmul", "transpose_conv"])
@settings(max_examples=40, deadline=None)
@given(seed=tflm.seeds)
def test_equals_tflm(operator: str, seed: int) -> None:
    model = draw(seed, 0, [operator], further=0)
    tflm.assert_exact_over_time(model.tflite, model.samples(2))


def transposed(
    *,
    size: tuple[int, int] = (3, 4),
    kernel: tuple[int, int] = (3, 2),
    stride: tuple[int, int] = (2, 2),
    output: tuple[int, int] = (6, 8),
    padding: str = "same",
    activation: str = "none",
    channels: tuple[int, int] = (3, 2),
    weights_shape: Shape | None = None,
    weights_type: str = "int8",
    axis: int = 0,
    stated: Shape | None = None,
    output_scale: float = 0.05,
    bias_size: int | None = None,
    known_shape: bool = True,
) -> bytes:
    rng = np.random.default_rng(3)
    builder = TfliteBuilder()
    inputs, outputs = channels
    shape = weights_shape or (outputs, *kernel, inputs)
    data = rng.integers(-8, 8, shape) if weights_type == "int4" else rng.integers(-127, 128, shape)
    scales = [0.002 * (1 + number) for number in range(shape[axis])]
    target_shape = (1, *output, outputs)
    numbers = np.array(stated or target_shape, np.int32)
    named = builder.tensor(numbers.shape, "int32", data=numbers if known_shape else None)
    source = builder.tensor((1, *size, inputs), scale=0.05, zero_point=-7)
    weights = builder.tensor(shape, weights_type, scale=scales, axis=axis, data=data.astype(np.int8))
    keys = [named, weights, source]
    if bias_size is not None:
        values = rng.integers(-2000, 2000, bias_size).astype(np.int32)
        keys.append(builder.tensor(values.shape, "int32", scale=0.0001, data=values))
    target = builder.tensor(target_shape, scale=output_scale, zero_point=5)
    builder.operator(
        "transpose_conv", keys, [target], padding=padding, stride_h=stride[0], stride_w=stride[1],
        fused_activation_function=activation,
    )  # fmt: skip
    return builder.build([source] if known_shape else [named, source], [target])


@st.composite
def windows(draw_: st.DrawFn) -> dict[str, Any]:
    """Any sizes: the output need not be what the input and the stride suggest."""
    pair = st.tuples(st.integers(1, 5), st.integers(1, 5))
    case = {
        "size": draw_(pair),
        "kernel": draw_(pair),
        "stride": draw_(st.tuples(st.integers(1, 3), st.integers(1, 3))),
    }
    output = draw_(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    padding = draw_(tflm.paddings)
    if padding == "valid":  # the kernel must fit into the output
        output = (max(output[0], case["kernel"][0]), max(output[1], case["kernel"][1]))
    return {**case, "output": output, "padding": padding}


@settings(max_examples=60, deadline=None)
@given(case=windows(), activation=tflm.activations, bias=st.booleans(), seed=tflm.seeds)
def test_transpose_conv_of_any_size_equals_tflm(case: dict[str, Any], activation: str, bias: bool, seed: int) -> None:
    tflm.assert_bit_exact(transposed(**case, activation=activation, bias_size=2 if bias else None), seed)


def multiplied(
    *,
    left: Shape = (2, 3, 4),
    right: Shape = (2, 4, 5),
    output: Shape = (2, 3, 5),
    adj_x: bool = False,
    adj_y: bool = False,
    left_data: bool = False,
    right_data: bool = False,
    dtype: str = "int8",
    right_scale: float | list[float] = 0.02,
    zero_points: tuple[int, int] = (-7, 9),
    output_scale: float = 0.3,
) -> bytes:
    rng = np.random.default_rng(4)
    builder = TfliteBuilder()
    zeros = zero_points if dtype == "int8" else (0, 0)
    keys = []
    for shape, scale, zero, known in (
        (left, 0.05, zeros[0], left_data),
        (right, right_scale, zeros[1], right_data),
    ):
        data = rng.integers(-128, 128, shape).astype(dtype) if known else None
        keys.append(builder.tensor(shape, dtype, scale=scale, zero_point=zero, axis=len(shape) - 1, data=data))
    target = builder.tensor(output, dtype, scale=output_scale, zero_point=3 if dtype == "int8" else 0)
    builder.operator("batch_matmul", keys, [target], adj_x=adj_x, adj_y=adj_y)
    inputs = [key for key, known in zip(keys, (left_data, right_data), strict=True) if not known]
    return builder.build(inputs or [builder.tensor((1,), scale=0.1)], [target])


@pytest.mark.parametrize("zero_points", [(-128, 127), (127, -128), (0, 0)])
@pytest.mark.parametrize("adjoint", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize(
    ("left", "right"),
    [((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((1, 3, 4), (6, 4, 5)), ((2, 1, 3, 4), (5, 4, 1)), ((2, 1, 2, 3, 4),) * 2],
)
def test_batch_matmul_equals_tflm(
    left: Shape, right: Shape, adjoint: tuple[bool, bool], zero_points: tuple[int, int]
) -> None:
    if left == right:
        right = (*right[:-2], right[-1], 6)
    batches = np.broadcast_shapes(left[:-2], right[:-2])
    output = (*batches, left[-2], right[-1])
    if adjoint[0]:
        left = (*left[:-2], left[-1], left[-2])
    if adjoint[1]:
        right = (*right[:-2], right[-1], right[-2])
    given: dict[str, Any] = {"left": left, "right": right, "output": output, "zero_points": zero_points}
    for known in ({}, {"right_data": True}):
        tflite = multiplied(**given, adj_x=adjoint[0], adj_y=adjoint[1], **known)
        for seed in range(4):
            tflm.assert_bit_exact(tflite, seed)


def test_a_constant_left_side_equals_tflm() -> None:
    tflm.assert_bit_exact(multiplied(left_data=True), 1)


@pytest.mark.parametrize(
    ("model", "arguments", "rule"),
    [
        (transposed, {"weights_shape": (2, 3, 2, 4)}, "output channels, height, width, input channels"),
        (transposed, {"weights_type": "int4"}, "The weights are int8"),
        (transposed, {"axis": 3}, "per channel along axis 0"),
        (transposed, {"stated": (1, 6, 8, 3)}, "shape of the output is a constant, and is that of the output"),
        (transposed, {"known_shape": False}, "shape of the output is a constant"),
        (transposed, {"bias_size": 3}, "one value per output channel"),
        (transposed, {"padding": "valid", "kernel": (7, 2)}, "leads back from output to input exists"),
        (transposed, {"output_scale": 1e-30}, "less than 2\\*\\*30 times"),
        (multiplied, {"left_data": True, "right_data": True}, "At least one of its inputs"),
        (multiplied, {"dtype": "int16"}, "are int8"),
        (multiplied, {"right_scale": [0.1] * 4 + [0.2]}, "each with one scale"),
        (multiplied, {"right": (2, 3, 5)}, "matrices that can be multiplied"),
        (multiplied, {"right": (3, 4, 5)}, "others broadcast"),
        (multiplied, {"output": (2, 5, 3)}, "matrices that can be multiplied"),
        (multiplied, {"left": (4,), "output": (2, 5)}, "two to five dimensions"),
        (multiplied, {"left": (1, 40000), "right": (40000, 1), "output": (1, 1)}, "at most 33,025 products"),
        (multiplied, {"output_scale": 1e-30}, "less than 2\\*\\*30 times"),
    ],
)
def test_refusals(model: Callable[..., bytes], arguments: dict[str, Any], rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(model(**arguments), "m"))


def test_parameters() -> None:
    (layer,) = parse_graph(read_model(transposed(), "m"))
    p = layer.params
    assert (p.pad_top, p.pad_left, p.stride_h, layer.macs) == (0, 0, 2, 3 * 4 * 3 * 2 * 3 * 2)
    (layer,) = parse_graph(read_model(multiplied(right_data=True), "m"))
    assert (layer.params.left_shape, layer.params.depth, layer.macs) == ((1, 1, 2, 3, 4), 4, 2 * 3 * 5 * 4)
    assert [tensor.shape for tensor in layer.inputs] == [(2, 3, 4)]
