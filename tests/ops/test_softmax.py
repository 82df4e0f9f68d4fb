"""softmax against TensorFlow Lite Micro, and its refusals."""

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
from tinyedge.ops.reference import run_graph
from tinyedge.ops.softmax import exponentials


def softmax(
    *,
    shape: tuple[int, ...] = (2, 5),
    scale: float = 0.1,
    zero_point: int = 4,
    beta: float = 1.0,
    output_scale: float = 1 / 256,
    output_zero_point: int = -128,
) -> bytes:
    builder = TfliteBuilder()
    source = builder.tensor(shape, scale=scale, zero_point=zero_point)
    target = builder.tensor(shape, scale=output_scale, zero_point=output_zero_point)
    builder.operator("softmax", [source], [target], beta=beta)
    return builder.build([source], [target])


@settings(max_examples=150, deadline=None)
@given(
    shape=st.lists(st.integers(1, 6), min_size=1, max_size=3).flatmap(
        lambda front: st.integers(1, 40).map(lambda last: (*front, last))
    ),
    scale=st.one_of(tflm.scales, st.floats(-20, 6).map(lambda e: float(np.float32(2.0**e)))),
    beta=st.sampled_from([1.0, 0.5, 2.0, 10.0]),
    zero_point=tflm.zero_points,
    seed=tflm.seeds,
)
def test_equals_tflm(seed: int, **arguments: Any) -> None:
    tflm.assert_bit_exact(softmax(**arguments), seed)


@pytest.mark.parametrize("scale", [2.0**-25, 0.0007, 0.01, 0.1, 0.4, 1.0, 7.0, 300.0])
def test_every_difference_to_the_maximum(scale: float) -> None:
    tflite = softmax(shape=(256, 2), scale=scale)
    graph = read_model(tflite, "m")
    rows = np.stack([np.full(256, 127), np.arange(-128, 128)], axis=1).astype(np.int8)
    np.testing.assert_array_equal(run_graph(graph, [rows])[1], tflm.interpret(tflite, [rows])[0])


def test_many_values() -> None:
    tflm.assert_bit_exact(softmax(shape=(1, 1001)), 1)
    graph = read_model(softmax(shape=(1, 511)), "m")
    equal = np.full((1, 511), 9, np.int8)
    np.testing.assert_array_equal(run_graph(graph, [equal])[1], tflm.interpret(softmax(shape=(1, 511)), [equal])[0])


def test_more_equal_values_than_tflm_can_sum_have_no_probability() -> None:
    graph = read_model(softmax(shape=(1, 600)), "m")
    assert (run_graph(graph, [np.zeros((1, 600), np.int8)])[1] == -128).all()


def test_exponentials_are_close_to_the_real_ones() -> None:
    (layer,) = parse_graph(read_model(softmax(scale=0.05), "m"))
    table, counts = exponentials(layer.params)
    assert counts.all()
    np.testing.assert_allclose(table / 2**31, np.exp(-0.05 * np.arange(256)), atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"output_scale": 0.1}, "scale 1/256"),
        ({"output_zero_point": 0}, "zero point -128"),
        ({"shape": (1, 4096)}, "1 to 4095"),
        ({"scale": 2.0**-27}, "more than 2\\*\\*-26"),
        ({"beta": -1.0}, "more than 2\\*\\*-26"),
    ],
)
def test_refusals(arguments: dict[str, Any], rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(softmax(**arguments), "m"))
