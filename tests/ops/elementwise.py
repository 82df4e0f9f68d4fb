"""sub, mul, div, squared_difference, prelu: sums and products of operands that broadcast."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.draft import Draft, Node
from kits.kernel_layers import KernelCases, Rng, parsed
from kits.nodes import binary, broadcast_from
from kits.operator_models import (
    INT8,
    INT16,
    INT32,
    NO_ACTIVATION,
    Elementwise,
    Operand,
    activation,
    all_pairs,
    arithmetic,
    assert_every_pair,
    elementwise_model,
    pick,
    quantized,
    stated,
)
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.div import right_shift
from tinyedge.ops.reference import run_graph


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
    ],
    ids=lambda op: op.name,
)
def test_every_pair_of_values(op: Elementwise) -> None:
    assert_every_pair(op)


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


@pytest.mark.parametrize("operator", ["sub", "mul", "squared_difference"])
def test_six_dimensions(operator: str) -> None:
    builder = TfliteBuilder()
    keys = [builder.tensor(shape, scale=0.1) for shape in ((2, 3, 2, 3, 2, 2), (2, 1, 2, 1, 2, 1))]
    target = builder.tensor((2, 3, 2, 3, 2, 2), scale=0.3)
    given = {} if operator == "squared_difference" else {"fused_activation_function": "none"}
    builder.operator(operator, keys, [target], **given)
    tflm.assert_bit_exact(builder.build(keys, [target]), 3)


def test_shapes_that_do_not_broadcast_and_seven_dimensions() -> None:
    for shapes, output in ((((2, 3), (3, 2)), (2, 3)), (((1, 1, 1, 1, 1, 1, 2), (2,)), (1, 1, 1, 1, 1, 1, 2))):
        builder = TfliteBuilder()
        keys = [builder.tensor(shape, scale=0.1) for shape in shapes]
        target = builder.tensor(output, scale=0.1)
        builder.operator("mul", keys, [target], fused_activation_function="none")
        with pytest.raises(ModelError, match="which has at most six dimensions"):
            check(read_model(builder.build(keys, [target]), "m"))


REFUSALS: list[tuple[bytes, str]] = [
    (stated("sub", [INT8, INT8], Operand("int8", 1e-8), **NO_ACTIVATION), "2\\*\\*20 \\(int16: 2\\*\\*15\\)"),
    (stated("sub", [INT8, Operand("int8", 1e-12)], INT8, **NO_ACTIVATION), "within 2\\*\\*30 of each other"),
    (stated("sub", [INT32, INT32], INT32, fused_activation_function="relu"), "without a fused activation"),
    (stated("mul", [INT8, INT16], INT8, **NO_ACTIVATION), "all int8 or all int16"),
    (stated("mul", [INT16, Operand("int16", 0.1, 5)], INT16, **NO_ACTIVATION), "zero point \\(0 for int16\\)"),
    (stated("mul", [INT8, INT8], INT8, fused_activation_function="tanh"), "none, relu, relu_n1_to_1 or relu6"),
    (
        stated("mul", [INT8, INT8], Operand("int8", 1e-12), **NO_ACTIVATION),
        "less than 2\\*\\*30 times the output scale",
    ),
    (stated("div", [INT16, INT16], INT16, **NO_ACTIVATION), "are all int8"),
    (stated("div", [Operand("int8", 1e5), INT8], INT8, **NO_ACTIVATION), "less than 2\\*\\*21 times"),
    (stated("prelu", [INT16, INT16], INT16), "the slopes are int8"),
    (stated("prelu", [INT8, INT8], INT16), "both int8 or both int16"),
    (stated("squared_difference", [INT32, INT32], INT32), "all int8 or all int16"),
    (stated("squared_difference", [INT8, INT8], Operand("int8", 1e-18)), "less than 2\\*\\*42 times"),
]
"""models that are refused, and words of the rule they break"""


def div_model(rng: Rng) -> bytes:
    fused = {"fused_activation_function": activation(rng)}
    operands = quantized(rng, "int8"), quantized(rng, "int8", -3, 0)
    return elementwise_model(rng, Elementwise("div", operands, quantized(rng, "int8", -12, -4), fused))


def div_node(draft: Draft) -> None:
    """By 1 to 7 quanta, the quotient large: otherwise TensorFlow Lite Micro shifts by more than 31, to any result."""
    first = draft.any(accept=lambda node: len(node.shape) <= 4)
    shape = first.shape if draft.flip(0.4) else broadcast_from(draft, first.shape)
    zero, scale = draft.pick(-128, -128, draft.number(-128, 120), 120), draft.scale()
    if draft.flip(0.7):
        data = (zero + draft.chance.integers(1, 8, shape)).astype(np.int8)
        second: Node | int = draft.constant(data, scale=scale, zero_point=zero)
    else:
        second = draft.input(shape, limits=(zero + 1, zero + 7), scale=scale, zero_point=zero)
    target = first.scale / scale * 2.0 ** -draft.chance.uniform(5, 8)
    fused = draft.pick("none", "none", "relu", "relu6", "relu_n1_to_1")
    draft.put("div", [first, second], first.shape, scale=target, fused_activation_function=fused)


def prelu_s16(rng: Rng) -> bytes:
    operands = quantized(rng, "int16", -16, 0), quantized(rng, "int8", -10, 0)
    return elementwise_model(rng, Elementwise("prelu", operands, quantized(rng, "int16", -16, 0)))


def prelu_node(draft: Draft) -> None:
    source = draft.take(4, draft.kind())
    scale = draft.scale(1.0)
    shape = draft.pick((1, 1, source.shape[3]), source.shape[1:], (1, 1, 1, source.shape[3]))
    alpha = draft.values(shape, scale, draft.zero_point())
    target = draft.scale(source.reach, source.dtype)
    draft.put("prelu", [source, alpha], source.shape, source.dtype, scale=target)


def whole_numbers(rng: Rng) -> bytes:
    operation = Elementwise(pick(rng, ("add", "mul", "sub")), (INT32, INT32), INT32, NO_ACTIVATION)
    return elementwise_model(rng, operation)


MODELS = {
    "mul": lambda rng: arithmetic(rng, "mul"),
    "prelu_s16": prelu_s16,
    "prelu": lambda rng: arithmetic(rng, "prelu", ("int8",)),
    "squared_difference": lambda rng: arithmetic(rng, "squared_difference"),
    "sub": lambda rng: arithmetic(rng, "sub"),
}
NODES = {
    "div": div_node,
    "mul": binary("mul", lambda a, b: a * b, fused_activation_function="none"),
    "prelu": prelu_node,
    "squared_difference": binary("squared_difference", lambda a, b: 2 * max(a, b) ** 2),
    "sub": binary("sub", max, fused_activation_function="none", pot_scale_int16=True),
}
LAYERS = {"div": parsed(div_model)}
KERNEL_CASES = {"portable/whole_numbers": KernelCases(parsed(whole_numbers))}
