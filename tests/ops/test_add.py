"""add against TensorFlow Lite Micro, with broadcasts and constants, and its refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph

Shape = tuple[int, ...]


def addition(
    *,
    shapes: tuple[Shape, Shape] = ((1, 3, 4), (1, 3, 4)),
    output_shape: Shape | None = None,
    constant: int | None = None,
    activation: str = "none",
    scales: tuple[float, float, float] = (0.05, 0.02, 0.06),
    zero_points: tuple[int, int, int] = (1, -2, 3),
    seed: int = 1,
) -> bytes:
    builder = TfliteBuilder()
    operands = []
    for position in (0, 1):
        data = None
        if position == constant:
            data = np.random.default_rng(seed).integers(-128, 128, shapes[position]).astype(np.int8)
        operands.append(
            builder.tensor(shapes[position], scale=scales[position], zero_point=zero_points[position], data=data)
        )
    shape = output_shape if output_shape is not None else np.broadcast_shapes(*shapes)
    target = builder.tensor(shape, scale=scales[2], zero_point=zero_points[2])
    builder.operator("add", operands, [target], fused_activation_function=activation)
    return builder.build([key for key in (0, 1) if key != constant], [target])


@st.composite
def broadcastable(draw: st.DrawFn) -> tuple[Shape, Shape]:
    """Two shapes of equal rank; TensorFlow Lite Micro broadcasts axis by axis."""
    full = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    ones = draw(st.lists(st.sampled_from([None, None, 0, 1]), min_size=len(full), max_size=len(full)))
    first, second = (tuple(1 if one == side else size for size, one in zip(full, ones, strict=True)) for side in (0, 1))
    strip = draw(st.integers(0, len(second) - 1))
    return first, second[strip:] if draw(st.booleans()) else second


@settings(max_examples=150, deadline=None)
@given(
    shapes=broadcastable(),
    constant=st.sampled_from([None, 0, 1]),
    activation=tflm.activations,
    scales=st.tuples(tflm.scales, tflm.scales, tflm.scales),
    zero_points=st.tuples(tflm.zero_points, tflm.zero_points, tflm.zero_points),
    seed=tflm.seeds,
)
def test_equals_tflm(seed: int, **arguments: Any) -> None:
    tflm.assert_bit_exact(addition(seed=seed, **arguments), seed)


def test_all_pairs_of_values() -> None:
    builder = TfliteBuilder()
    left, right = builder.tensor((256, 1), scale=0.031), builder.tensor((1, 256), scale=0.017, zero_point=11)
    target = builder.tensor((256, 256), scale=0.029, zero_point=-7)
    builder.operator("add", [left, right], [target], fused_activation_function="relu6")
    tflite = builder.build([left, right], [target])
    graph = read_model(tflite, "m")
    values = np.arange(-128, 128).astype(np.int8)
    inputs = [values[:, np.newaxis], values[np.newaxis]]
    from tinyedge.ops.reference import run_graph

    np.testing.assert_array_equal(run_graph(graph, inputs)[target], tflm.interpret(tflite, inputs)[0])


def test_a_tensor_added_to_itself() -> None:
    builder = TfliteBuilder()
    x, y = builder.tensor((2, 5), scale=0.1), builder.tensor((2, 5), scale=0.2)
    builder.operator("add", [x, x], [y], fused_activation_function="none")
    tflm.assert_bit_exact(builder.build([x], [y]), 5)


def test_a_constant_first_operand_becomes_the_second() -> None:
    (layer,) = parse_graph(read_model(addition(constant=0, shapes=((4,), (2, 4))), "m"))
    assert [tensor.index for tensor in layer.inputs] == [1]
    assert layer.params.constant2.shape == layer.params.shape2 == (4,)
    assert layer.params.input1_zero_point == -2


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"shapes": ((2, 3), (2, 3)), "output_shape": (2, 4)}, "broadcast to the shape of the output"),
        ({"scales": (1000.0, 0.1, 0.0001)}, "2\\*\\*20 \\(int16: 2\\*\\*15\\) times the output scale"),
        ({"activation": "sign_bit"}, "none, relu, relu_n1_to_1 or relu6"),
    ],
)
def test_refusals(arguments: dict[str, Any], rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(addition(**arguments), "m"))


def test_two_constants_are_refused() -> None:
    builder = TfliteBuilder()
    x = builder.tensor((2,), scale=0.1)
    ones = np.ones(2, np.int8)
    c, d = builder.tensor((2,), scale=0.1, data=ones), builder.tensor((2,), scale=0.1, data=ones)
    y, z = builder.tensor((2,), scale=0.2), builder.tensor((2,), scale=0.2)
    builder.operator("add", [c, d], [y], fused_activation_function="none")
    builder.operator("add", [x, y], [z], fused_activation_function="none")
    with pytest.raises(ModelError, match="At least one of its inputs is computed"):
        check(read_model(builder.build([x], [z]), "m"))
