"""Functions of one int8 value against TensorFlow Lite Micro, at every value, and their refusals."""

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
from tinyedge.ops.reference import run_graph

ALL = np.arange(-128, 128).astype(np.int8).reshape(1, 256)
Pair = tuple[float, float]


def function(operator: str, scales: Pair, zero_points: tuple[int, int], **options: Any) -> bytes:
    builder = TfliteBuilder()
    source = builder.tensor((1, 256), scale=scales[0], zero_point=zero_points[0])
    target = builder.tensor((1, 256), scale=scales[1], zero_point=zero_points[1])
    builder.operator(operator, [source], [target], **options)
    return builder.build([source], [target])


def assert_same_at_every_value(tflite: bytes) -> None:
    graph = read_model(tflite, "m")
    ours = run_graph(graph, [ALL])[graph.outputs[0]]
    np.testing.assert_array_equal(ours, tflm.interpret(tflite, [ALL])[0])


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


@pytest.mark.parametrize(
    ("arguments", "options", "rule"),
    [
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
    ],
)
def test_refusals(arguments: tuple[Any, ...], options: dict[str, Any], rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(function(*arguments, **options), "m"))
