"""Element-wise operators with broadcasting against TensorFlow Lite Micro, and their refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.operator_models import MODELS, Elementwise, Operand, elementwise_model
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.div import right_shift
from tinyedge.ops.reference import run_graph

EXACT = (
    "add_s16",
    "equal",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "maximum",
    "minimum",
    "mul",
    "not_equal",
    "prelu",
    "select_v2",
    "squared_difference",
    "sub",
)
VALUES = np.arange(-128, 128).astype(np.int8)


@pytest.mark.parametrize("operator", EXACT)
@settings(max_examples=60, deadline=None)
@given(seed=tflm.seeds)
def test_equals_tflm(operator: str, seed: int) -> None:
    tflm.assert_bit_exact(MODELS[operator](np.random.default_rng(seed)), seed)


def all_pairs(op: Elementwise) -> tuple[bytes, list[tflm.Array]]:
    """A model of every value against every value, and these inputs."""
    rng = np.random.default_rng(0)
    return elementwise_model(rng, op, shapes=((256, 1), (1, 256)), constants=0), [VALUES[:, None], VALUES[None]]


@pytest.mark.parametrize(
    "op",
    [
        Elementwise(
            "sub",
            (Operand("int8", 0.031), Operand("int8", 0.017, 11)),
            Operand("int8", 0.029, -7),
            {"fused_activation_function": "relu6"},
        ),
        Elementwise(
            "mul",
            (Operand("int8", 0.031, -128), Operand("int8", 0.017, 127)),
            Operand("int8", 0.02, 3),
            {"fused_activation_function": "none"},
        ),
        Elementwise(
            "squared_difference", (Operand("int8", 0.03, 9), Operand("int8", 0.017, -128)), Operand("int8", 0.1, -128)
        ),
        Elementwise("prelu", (Operand("int8", 0.05, -20), Operand("int8", 0.007, 5)), Operand("int8", 0.04, -100)),
        Elementwise("less", (Operand("int8", 0.05, -20), Operand("int8", 0.047, 5)), Operand("bool")),
        Elementwise("equal", (Operand("int8", 0.001, 0), Operand("int8", 0.0007, 0)), Operand("bool")),
    ],
    ids=lambda op: op.name,
)
def test_every_pair_of_values(op: Elementwise) -> None:
    tflite, inputs = all_pairs(op)
    graph = read_model(tflite, "m")
    ours = run_graph(graph, inputs)[graph.outputs[0]]
    np.testing.assert_array_equal(ours, tflm.interpret(tflite, inputs)[0])


@settings(max_examples=60, deadline=None)
@given(
    scales=st.tuples(tflm.scales, st.floats(-3, 0).map(lambda e: float(np.float32(2.0**e))), tflm.scales),
    zero_points=st.tuples(tflm.zero_points, tflm.zero_points, tflm.zero_points),
    activation=tflm.activations,
)
def test_div_where_it_is_defined(
    scales: tuple[float, float, float], zero_points: tuple[int, int, int], activation: str
) -> None:
    operands = [Operand("int8", *pair) for pair in zip(scales, zero_points, strict=True)]
    fused = {"fused_activation_function": activation}
    tflite, inputs = all_pairs(Elementwise("div", (operands[0], operands[1]), operands[2], fused))
    graph = read_model(tflite, "m")
    (layer,) = parse_graph(graph)
    dividend, divisor = (x.astype(np.int64) - z for x, z in zip(inputs, layer.params.zero_points, strict=True))
    turned = np.where(divisor < 0, -dividend, dividend)
    defined = (divisor != 0) & (right_shift(layer.params, turned, np.abs(divisor) + (divisor == 0)) <= 31)
    ours = run_graph(graph, inputs)[graph.outputs[0]]
    theirs = tflm.interpret(tflite, inputs)[0]
    np.testing.assert_array_equal(ours[defined], theirs[defined])


def test_div_where_tflm_leaves_it_undefined() -> None:
    operands = Operand("int8", 0.01), Operand("int8", 0.01)
    op = Elementwise("div", operands, Operand("int8", 1.0, 7), {"fused_activation_function": "none"})
    tflite = elementwise_model(np.random.default_rng(0), op, shapes=((1, 6), (1, 6)), constants=0)
    graph = read_model(tflite, "m")
    inputs = [np.array([[5, -5, 0, 1, -1, 0]], np.int8), np.array([[0, 0, 0, 127, 127, 127]], np.int8)]
    assert run_graph(graph, inputs)[graph.outputs[0]].tolist() == [[127, -128, 7, 7, 7, 7]]


def test_div_is_nearly_the_quotient() -> None:
    operands = Operand("int8", 0.02, 3), Operand("int8", 0.01, -4)
    op = Elementwise("div", operands, Operand("int8", 0.05, -9), {"fused_activation_function": "none"})
    tflite, inputs = all_pairs(op)
    graph = read_model(tflite, "m")
    dividend, divisor = 0.02 * (inputs[0] - 3.0), 0.01 * (inputs[1] + 4.0)
    exact = np.clip(dividend / np.where(divisor == 0, np.nan, divisor) / 0.05 - 9, -128, 127)
    error = np.abs(run_graph(graph, inputs)[graph.outputs[0]] - exact)
    assert np.nanmax(error) < 0.51


def test_constant_operands_stay_in_their_place() -> None:
    builder = TfliteBuilder()
    five = builder.tensor((1,), scale=0.1, data=np.array([50], np.int8))
    x, y = builder.tensor((4,), scale=0.1), builder.tensor((4,), scale=0.1)
    builder.operator("sub", [five, x], [y], fused_activation_function="none")
    (layer,) = parse_graph(read_model(builder.build([x], [y]), "m"))
    assert [tensor.index for tensor in layer.inputs] == [x]
    assert tflm.assert_bit_exact(builder.build([x], [y]), 3)[0].shape == (4,)


def refused(name: str, operands: list[Operand], output: Operand, **options: Any) -> bytes:
    rng = np.random.default_rng(0)
    shapes = [(2, 3)] * len(operands)
    return elementwise_model(rng, Elementwise(name, tuple(operands), output, options), shapes=shapes, constants=0)


INT8, INT16, INT32, BOOL = Operand("int8", 0.1), Operand("int16", 0.1), Operand("int32"), Operand("bool")
FUSED = {"fused_activation_function": "none"}


@pytest.mark.parametrize(
    ("tflite", "rule"),
    [
        (refused("sub", [INT8, INT8], Operand("int8", 1e-8), **FUSED), "2\\*\\*20 \\(int16: 2\\*\\*15\\)"),
        (refused("sub", [INT8, Operand("int8", 1e-12)], INT8, **FUSED), "within 2\\*\\*30 of each other"),
        (refused("sub", [INT32, INT32], INT32, **FUSED), "all int8 or all int16"),
        (refused("mul", [INT8, INT16], INT8, **FUSED), "all int8 or all int16"),
        (refused("mul", [INT16, Operand("int16", 0.1, 5)], INT16, **FUSED), "zero point \\(0 for int16\\)"),
        (refused("mul", [INT8, INT8], INT8, fused_activation_function="tanh"), "none, relu, relu_n1_to_1 or relu6"),
        (refused("mul", [INT8, INT8], Operand("int8", 1e-12), **FUSED), "less than 2\\*\\*30 times the output scale"),
        (refused("div", [INT16, INT16], INT16, **FUSED), "are all int8"),
        (refused("div", [Operand("int8", 1e5), INT8], INT8, **FUSED), "less than 2\\*\\*21 times"),
        (refused("maximum", [INT8, Operand("int8", 0.2)], INT8), "quantized alike"),
        (refused("minimum", [BOOL, BOOL], BOOL), "all int8, all int16 or all int32"),
        (refused("prelu", [INT16, INT8], INT16), "all int8"),
        (refused("less", [BOOL, BOOL], BOOL), "for equal and not_equal, both"),
        (refused("less", [INT16, INT16], BOOL), "both int8"),
        (refused("less", [INT8, Operand("int8", 1.0)], BOOL), "less than 1"),
        (refused("equal", [INT8, INT8], INT8), "its output is bool"),
        (refused("logical_or", [INT8, INT8], BOOL), "are bool"),
        (refused("select_v2", [BOOL, INT8, Operand("int8", 0.1, 1)], INT8), "the same scale"),
        (refused("select_v2", [INT8, INT8, INT8], INT8), "first input is bool"),
        (refused("squared_difference", [INT32, INT32], INT32), "all int8 or all int16"),
        (refused("squared_difference", [INT8, INT8], Operand("int8", 1e-18)), "less than 2\\*\\*42 times"),
    ],
)
def test_refusals(tflite: bytes, rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(tflite, "m"))


def test_shapes_that_do_not_broadcast_and_five_dimensions() -> None:
    for shapes, output in ((((2, 3), (3, 2)), (2, 3)), (((1, 1, 1, 1, 2), (2,)), (1, 1, 1, 1, 2))):
        builder = TfliteBuilder()
        keys = [builder.tensor(shape, scale=0.1) for shape in shapes]
        target = builder.tensor(output, scale=0.1)
        builder.operator("mul", keys, [target], fused_activation_function="none")
        with pytest.raises(ModelError, match="which has at most four dimensions"):
            check(read_model(builder.build(keys, [target]), "m"))
