"""add: models, layers and nodes, corners and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.kernel_layers import INT31, MULTIPLIERS, KernelCases, Rng, any_zero_point, clamp, make_layer
from kits.nodes import binary
from kits.operator_models import arithmetic
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.add import Add
from tinyedge.ops.contract import Layer
from tinyedge.ops.reference import run_graph

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


REFUSALS = [
    (addition(**arguments), rule)
    for arguments, rule in (
        ({"shapes": ((2, 3), (2, 3)), "output_shape": (2, 4)}, "broadcast to the shape of the output"),
        ({"scales": (1000.0, 0.1, 0.0001)}, "2\\*\\*20 \\(int16: 2\\*\\*15\\) times the output scale"),
        ({"activation": "sign_bit"}, "none, relu, relu_n1_to_1 or relu6"),
    )
]
"""models that are refused, and words of the rule they break"""


def add_layer(
    rng: Rng, *, shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None, constant: bool | None = None
) -> Layer:
    """A sum, often of two tensors alike, sometimes broadcast or with a constant."""
    if shapes is None:
        full = tuple(int(v) for v in rng.integers(1, 6, int(rng.integers(1, 5))))
        shapes = (full, full)
        if rng.random() < 0.5:
            shapes = (_thinned(rng, full), _thinned(rng, full))
    output = np.broadcast_shapes(*shapes)
    is_constant = rng.random() < 0.2 if constant is None else constant
    low, high = clamp(rng, 0)
    multipliers = [int(rng.integers(1 << 30, INT31)) for _ in range(3)]
    if rng.random() < 0.3:
        multipliers[int(rng.integers(3))] = int(rng.choice(MULTIPLIERS))
    params = Add(
        shape1=shapes[0],
        shape2=shapes[1],
        output_shape=output,
        constant2=rng.integers(-128, 128, shapes[1], np.int8) if is_constant else None,
        left_shift=20,
        input1_zero_point=any_zero_point(rng),
        input1_multiplier=multipliers[0],
        input1_shift=-int(rng.choice([0, 0, 1, 5])),
        input2_zero_point=any_zero_point(rng),
        input2_multiplier=multipliers[1],
        input2_shift=-int(rng.choice([0, 0, 0, 1, 31])),
        output_zero_point=any_zero_point(rng),
        output_multiplier=multipliers[2],
        output_shift=-int(rng.choice([0, 12, 31]) if rng.random() < 0.1 else rng.integers(19, 22)),
        activation_min=low,
        activation_max=high,
    )
    inputs = [(shape, DType.INT8) for shape in (shapes[:1] if is_constant else shapes)]
    return make_layer("add", params, inputs, [(output, DType.INT8)])


def _thinned(rng: Rng, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Some axes of size 1, sometimes leading ones left out."""
    thin = tuple(1 if rng.random() < 0.3 else size for size in shape)
    return thin[1:] if len(thin) > 1 and rng.random() < 0.3 else thin


def _corners(rng: Rng) -> list[Layer]:
    return [
        add_layer(rng, shapes=((1, 8, 8, 16), (1, 8, 8, 16)), constant=False),
        add_layer(rng, shapes=((1, 8, 8, 16), (16,)), constant=True),
        add_layer(rng, shapes=((2, 1, 3, 1), (1, 4, 1, 5)), constant=False),
    ]


MODELS = {"add_s16": lambda rng: arithmetic(rng, "add", ("int16",))}
NODES = {"add": binary("add", max, fused_activation_function="none", pot_scale_int16=True)}
LAYERS = {"add": add_layer}
KERNEL_CASES = {"portable/add": KernelCases(corners=_corners)}
