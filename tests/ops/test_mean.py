"""mean against TensorFlow Lite Micro, and its refusals."""

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


def mean(
    *,
    shape: Shape = (1, 4, 5, 3),
    axes: Shape = (1, 2),
    keep_dims: bool = False,
    output_shape: Shape | None = None,
    scales: tuple[float, float] = (0.05, 0.04),
    zero_points: tuple[int, int] = (-3, 7),
) -> bytes:
    builder = TfliteBuilder()
    source = builder.tensor(shape, scale=scales[0], zero_point=zero_points[0])
    indices = builder.tensor((len(axes),), "int32", data=np.array(axes, np.int32))
    reduced = np.zeros(shape).mean(axis=tuple({axis % len(shape) for axis in axes}), keepdims=keep_dims).shape
    target = builder.tensor(
        reduced if output_shape is None else output_shape, scale=scales[1], zero_point=zero_points[1]
    )
    builder.operator("mean", [source, indices], [target], keep_dims=keep_dims)
    return builder.build([source], [target])


@st.composite
def reductions(draw: st.DrawFn) -> tuple[Shape, Shape]:
    shape = tuple(draw(st.lists(st.integers(1, 7), min_size=1, max_size=4)))
    axes = st.integers(-len(shape), len(shape) - 1)
    return shape, tuple(draw(st.lists(axes, min_size=1, max_size=len(shape))))


@settings(max_examples=120, deadline=None)
@given(
    case=reductions(),
    keep_dims=st.booleans(),
    scales=st.tuples(tflm.scales, tflm.scales),
    zero_points=st.tuples(tflm.zero_points, tflm.zero_points),
    seed=tflm.seeds,
)
def test_equals_tflm(case: tuple[Shape, Shape], seed: int, **arguments: Any) -> None:
    tflm.assert_bit_exact(mean(shape=case[0], axes=case[1], **arguments), seed)


def test_extreme_scales() -> None:
    for scales in ((2.0**-40, 1.0), (1e-30, 1.0), (2.0**20, 2.0**-5)):
        tflm.assert_bit_exact(mean(scales=scales), 3)


def test_parameters() -> None:
    (layer,) = parse_graph(read_model(mean(axes=(-2, 1, 1)), "m"))
    assert layer.params.axes == (1, 2)
    assert not layer.params.keep_dims


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"output_shape": (1, 1, 1, 3)}, "remains without the axes"),
        ({"keep_dims": True, "output_shape": (1, 3)}, "remains without the axes"),
        ({"scales": (1e10, 1e-5)}, "2\\*\\*30 times"),
    ],
)
def test_refusals(arguments: dict[str, Any], rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(mean(**arguments), "m"))


def test_an_axis_that_does_not_exist() -> None:
    with pytest.raises(ModelError, match="each an axis of the input"):
        check(read_model(mean(axes=(1, 9), output_shape=(1, 5, 3)), "m"))
