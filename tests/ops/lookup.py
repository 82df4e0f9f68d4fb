"""Functions of one value: of int8 at every value by a table, logistic and tanh of int16 as well."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.draft import Draft
from kits.kernel_layers import KernelCases, Rng, make_layer
from kits.nodes import fixed, requantized, unary
from kits.operator_models import Operand, one_to_one, pick, scale, shape_of
from kits.tflite_builder import TfliteBuilder
from tinyedge.graph.ir import DType
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.ops.lookup import Lookup

ALL = np.arange(-128, 128).astype(np.int8).reshape(1, 256)
Pair = tuple[float, float]
UNIT = Operand("int16", 2.0**-15)


def function(operator: str, scales: Pair, zero_points: tuple[int, int], **options: Any) -> bytes:
    builder = TfliteBuilder()
    source = builder.tensor((1, 256), scale=scales[0], zero_point=zero_points[0])
    target = builder.tensor((1, 256), scale=scales[1], zero_point=zero_points[1])
    builder.operator(operator, [source], [target], **options)
    return builder.build([source], [target])


def assert_same_at_every_value(tflite: bytes) -> None:
    tflm.assert_same(tflite, ALL)


any_scales = st.tuples(tflm.scales, tflm.scales)
any_zeros = st.tuples(tflm.zero_points, tflm.zero_points)
wide_scales = st.floats(-27, 8).map(lambda exponent: float(np.float32(2.0**exponent)))


@settings(max_examples=80, deadline=None)
@given(operator=st.sampled_from(["relu", "abs"]), scales=any_scales, same=st.booleans(), zero_points=any_zeros)
def test_relu_and_abs(operator: str, scales: Pair, same: bool, zero_points: tuple[int, int]) -> None:
    assert_same_at_every_value(function(operator, (scales[0], scales[0] if same else scales[1]), zero_points))


@settings(max_examples=60, deadline=None)
@given(scale=tflm.scales, zero_point=tflm.zero_points)
def test_relu6(scale: float, zero_point: int) -> None:
    assert_same_at_every_value(function("relu6", (scale, scale), (zero_point, zero_point)))


@settings(max_examples=80, deadline=None)
@given(
    scales=any_scales,
    zero_points=any_zeros,
    alpha=st.one_of(st.sampled_from([0.0, 0.01, 0.1, 1.0, -0.5]), st.floats(-3, 3, width=32)),
)
def test_leaky_relu(scales: Pair, zero_points: tuple[int, int], alpha: float) -> None:
    assert_same_at_every_value(function("leaky_relu", scales, zero_points, alpha=alpha))


@settings(max_examples=80, deadline=None)
@given(
    kind=st.sampled_from([("logistic", 1 / 256, -128), ("tanh", 1 / 128, 0)]), scale=wide_scales, zero=tflm.zero_points
)
def test_logistic_and_tanh(kind: tuple[str, float, int], scale: float, zero: int) -> None:
    operator, output_scale, output_zero = kind
    assert_same_at_every_value(function(operator, (scale, output_scale), (zero, output_zero)))


@pytest.mark.parametrize("kind", [("logistic", 1 / 256, -128), ("tanh", 1 / 128, 0)])
@pytest.mark.parametrize("scale", [2.0**-28, 1.0, 2.0, 15.0, 16.0, 2.0**29, 2.0**30])
def test_logistic_and_tanh_at_their_limits(kind: tuple[str, float, int], scale: float) -> None:
    operator, output_scale, output_zero = kind
    assert_same_at_every_value(function(operator, (scale, output_scale), (3, output_zero)))


@settings(max_examples=100, deadline=None)
@given(scales=any_scales, zero_points=any_zeros)
def test_hard_swish(scales: Pair, zero_points: tuple[int, int]) -> None:
    assume(2.0**-8 <= scales[0] / scales[1] < 127)
    assert_same_at_every_value(function("hard_swish", scales, zero_points))


@pytest.mark.parametrize(
    "scales", [(2.0**-20, 2.0**-20), (2.0**-20, 2.0**-12), (2.0**20, 2.0**20), (2.0**20, 2.0**14), (6 / 255, 6 / 255)]
)
def test_hard_swish_at_its_limits(scales: Pair) -> None:
    assert_same_at_every_value(function("hard_swish", scales, (-1, 4)))


@settings(max_examples=80, deadline=None)
@given(scales=any_scales, zero_points=any_zeros)
def test_elu(scales: Pair, zero_points: tuple[int, int]) -> None:
    assert_same_at_every_value(function("elu", scales, zero_points))


@settings(max_examples=80, deadline=None)
@given(scales=any_scales, zero=tflm.zero_points)
def test_rsqrt(scales: Pair, zero: int) -> None:
    assume(2.0**-29 <= scales[0] ** 0.5 * scales[1] <= 2.0**11)
    assert_same_at_every_value(function("rsqrt", scales, (-128, zero)))


@pytest.mark.parametrize("scales", [(2.0**-20, 2.0**-19), (2.0**10, 2.0**6), (2.0**-8, 2.0**-25)])
def test_rsqrt_at_its_limits(scales: Pair) -> None:
    assert_same_at_every_value(function("rsqrt", scales, (-128, 5)))


def test_table_has_one_entry_for_each_value() -> None:
    (layer,) = parse_graph(read_model(function("relu6", (0.1, 0.1), (-10, -10)), "m"))
    assert layer.params.table.shape == (256,)
    assert (layer.params.table.min(), layer.params.table.max()) == (-10, 50)
    assert layer.params.elements == 256


def int16(name: str, shape: tuple[int, ...], source: Operand, target: Operand, **options: Any) -> bytes:
    return one_to_one(np.random.default_rng(0), name, shape, source, target, **options)


@pytest.mark.parametrize("operator", ["logistic", "tanh"])
@pytest.mark.parametrize("scale", [2.0, 0.01, 2.0**-10, 2.0**-11, 2.0**-12, 2.0**-13, 1.0005 * 2.0**-12, 2.0**-28])
def test_logistic_and_tanh_at_every_int16(operator: str, scale: float) -> None:
    values = np.arange(-32768, 32768).astype(np.int16).reshape(1, -1)
    output = tflm.assert_same(int16(operator, values.shape, Operand("int16", scale), UNIT), values)
    real = np.clip(np.float32(scale) * values.astype(np.float64), -50, 50)
    exact = np.tanh(real) if operator == "tanh" else 1 / (1 + np.exp(-real))
    assert np.abs(output / 32768 - exact).max() < 3e-4


def test_parameters_of_int16() -> None:
    (exact,) = parse_graph(read_model(int16("tanh", (2, 4), Operand("int16", 2.0**-11), UNIT), "m"))
    assert (exact.params.multiplier, exact.params.left_shift) == (6, 0)
    (cut,) = parse_graph(read_model(int16("logistic", (2, 4), Operand("int16", 2.0**-11), UNIT), "m"))
    assert (cut.params.multiplier, cut.params.left_shift) == (24576, 12)


REFUSALS: list[tuple[bytes, str]] = [
    *(
        (function(*arguments, **options), rule)
        for arguments, options, rule in [
            (("relu6", (0.1, 0.2), (0, 0)), {}, "same scale"),
            (("relu", (1e10, 1e-4), (0, 0)), {}, "2\\*\\*30 times the output scale"),
            (("logistic", (0.1, 1 / 128), (0, -128)), {}, "output has scale 1/256 and zero point -128, an"),
            (("tanh", (0.1, 1 / 128), (0, 1)), {}, "output has scale 1/128 and zero point 0, an"),
            (("tanh", (1e-9, 1 / 128), (0, 0)), {}, "between 2\\*\\*-28 and 2\\*\\*30 for int8"),
            (("hard_swish", (12.8, 0.1), (0, 0)), {}, "less than 127 times the output scale"),
            (("elu", (1e5, 1e-4), (0, 0)), {}, "their quotient less than 2\\*\\*20"),
            (("rsqrt", (0.1, 0.1), (-127, 0)), {}, "cannot be negative"),
            (("rsqrt", (1e6, 1e6), (-128, 0)), {}, "between 2\\*\\*-29 and 2\\*\\*11"),
            (("leaky_relu", (0.1, 0.1), (0, 0)), {"alpha": 1e20}, "alpha is a number"),
            (("leaky_relu", (0.1, 0.1), (0, 0)), {"alpha": float("nan")}, "alpha is a number"),
        ]
    ),
    (int16("logistic", (2, 4), Operand("int16", 0.01, 1), UNIT), "zero points are 0"),
    (
        int16("logistic", (2, 4), Operand("int16", 0.01), Operand("int16", 2.0**-14)),
        "an int16 output scale 1/32768",
    ),
    (int16("tanh", (2, 4), Operand("int16", 2.1), UNIT), "2\\*\\*-28 and 2 for int16"),
    (int16("tanh", (2, 4), Operand("int8", 0.1), UNIT), "both int8 or both int16"),
]
"""models that are refused, and words of the rule they break"""


def sigmoid_s16(rng: Rng, name: str) -> bytes:
    """Sometimes of a scale for which the arithmetic is simpler."""
    fine = pick(rng, (scale(rng, -20, 1), 2.0**-12, 2.0**-11, 2.0**-13))
    return one_to_one(rng, name, (*shape_of(rng, rank=2), 64), Operand("int16", fine), Operand("int16", 2.0**-15))


def lookup_layer(rng: Rng, *, elements: int | None = None) -> Layer:
    """A table of any values."""
    elements = elements or int(rng.integers(1, 300))
    shapes = [((elements,), DType.INT8)], [((elements,), DType.INT8)]
    return make_layer("relu", Lookup(elements, rng.integers(-128, 128, 256, np.int8)), *shapes)


def relu6_node(draft: Draft) -> None:
    source = draft.any(draft.kind())
    draft.same("relu6", [source], source.shape, source)


def rsqrt_node(draft: Draft) -> None:
    source = requantized(draft, draft.any(), draft.scale(), -128)
    draft.put("rsqrt", [source], source.shape, scale=draft.scale(4 / math.sqrt(source.reach)))


def hard_swish_node(draft: Draft) -> None:
    source = draft.any(accept=lambda node: 2.0**-18 <= node.scale <= 2.0**18)
    draft.put("hard_swish", [source], source.shape, scale=source.scale * 2.0 ** draft.chance.uniform(-3, 3))


_ALPHAS = (0.0, 0.01, 0.1, 0.3, 1.0, -0.5, 1.7)


def piecewise_s16(rng: Rng) -> bytes:
    """abs, leaky_relu, relu, relu6 of int16."""
    name = pick(rng, ("abs", "leaky_relu", "relu", "relu6"))
    source = Operand("int16", scale(rng, -16, 0))
    other = Operand("int16", scale(rng, -16, 0))
    same = name == "relu6" or rng.random() < 0.3
    options = {"alpha": pick(rng, (*_ALPHAS, float(np.float32(rng.normal(0, 1)))))} if name == "leaky_relu" else {}
    return one_to_one(rng, name, (*shape_of(rng, rank=2), 64), source, source if same else other, **options)


MODELS = {
    "piecewise_s16": piecewise_s16,
    "logistic_s16": lambda rng: sigmoid_s16(rng, "logistic"),
    "tanh_s16": lambda rng: sigmoid_s16(rng, "tanh"),
}
NODES = {
    "abs": unary("abs", wide=True),
    "elu": unary("elu"),
    "hard_swish": hard_swish_node,
    "leaky_relu": unary("leaky_relu", wide=True, alpha=lambda draft: draft.pick(*_ALPHAS)),
    "logistic": fixed("logistic", 1 / 256, -128, wide=True),
    "relu": unary("relu", wide=True),
    "relu6": relu6_node,
    "rsqrt": rsqrt_node,
    "tanh": fixed("tanh", 1 / 128, 0, wide=True),
}
LAYERS = {"relu": lookup_layer}
KERNEL_CASES = {"portable/lookup": KernelCases(corners=lambda rng: [lookup_layer(rng, elements=5000)])}
