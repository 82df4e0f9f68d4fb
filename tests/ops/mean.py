"""mean: layers and nodes, corners and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.kernel_layers import INT31, KernelCases, Rng, any_zero_point, make_layer
from kits.nodes import reduction_node
from kits.operator_models import scale, shape_of
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.ops.mean import Mean, fold_count

Shape = tuple[int, ...]


def mean(
    *,
    shape: Shape = (1, 4, 5, 3),
    axes: Shape = (1, 2),
    keep_dims: bool = False,
    output_shape: Shape | None = None,
    scales: tuple[float, float] = (0.05, 0.04),
    zero_points: tuple[int, int] = (-3, 7),
    dtype: str = "int8",
    operator: str = "mean",
) -> bytes:
    builder = TfliteBuilder()
    zeros = zero_points if dtype == "int8" else (0, 0)
    source = builder.tensor(shape, dtype, scale=scales[0], zero_point=zeros[0])
    indices = builder.tensor((len(axes),), "int32", data=np.array(axes, np.int32))
    reduced = np.zeros(shape).mean(axis=tuple({axis % len(shape) for axis in axes}), keepdims=keep_dims).shape
    target = builder.tensor(
        reduced if output_shape is None else output_shape, dtype, scale=scales[1], zero_point=zeros[1]
    )
    builder.operator(operator, [source, indices], [target], keep_dims=keep_dims)
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
    dtype=st.sampled_from(["int8", "int16"]),
    operator=st.sampled_from(["mean", "sum"]),
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


def test_an_axis_that_does_not_exist() -> None:
    with pytest.raises(ModelError, match="each an axis of the input"):
        check(read_model(mean(axes=(1, 9), output_shape=(1, 5, 3)), "m"))


REFUSALS = [
    (mean(**arguments), rule)
    for arguments, rule in (
        ({"output_shape": (1, 1, 1, 3)}, "remains without the axes"),
        ({"keep_dims": True, "output_shape": (1, 3)}, "remains without the axes"),
        ({"scales": (1e10, 1e-5)}, "2\\*\\*30 times"),
        ({"dtype": "int16", "shape": (1, 65536), "axes": (1,)}, "int16: 65535"),
    )
]
"""models that are refused, and words of the rule they break"""


def mean_layer(rng: Rng, *, shape: tuple[int, ...] | None = None, axes: tuple[int, ...] | None = None) -> Layer:
    """A mean over some axes."""
    shape = shape or tuple(int(v) for v in rng.integers(1, 8, int(rng.integers(1, 5))))
    if axes is None:
        axes = tuple(axis for axis in range(len(shape)) if rng.random() < 0.5) or (len(shape) - 1,)
    count = int(np.prod([shape[axis] for axis in axes]))
    multiplier, shift = fold_count(int(rng.integers(1 << 30, INT31)), int(rng.integers(-1, 3)), count)
    keep = bool(rng.random() < 0.5)
    output = tuple(1 if axis in axes else size for axis, size in enumerate(shape) if keep or axis not in axes)
    params = Mean(shape, axes, keep, any_zero_point(rng), any_zero_point(rng), multiplier, shift)
    return make_layer("mean", params, [(shape, DType.INT8)], [(output, DType.INT8)])


def mean_s16(rng: Rng) -> bytes:
    shape = shape_of(rng, most=6)
    axes = tuple(axis for axis in range(len(shape)) if rng.random() < 0.5) or (0,)
    scales = scale(rng), scale(rng)
    keep, name = bool(rng.random() < 0.5), str(rng.choice(["mean", "sum"]))
    return mean(shape=shape, axes=axes, keep_dims=keep, scales=scales, dtype="int16", operator=name)


def _corners(rng: Rng) -> list[Layer]:
    return [
        mean_layer(rng, shape=(1, 7, 7, 33), axes=(1, 2)),
        mean_layer(rng, shape=(3, 4, 5, 6), axes=(1, 3)),
        mean_layer(rng, shape=(3, 4, 5, 6), axes=(0, 1, 2, 3)),
    ]


MODELS = {"mean_s16": mean_s16}
NODES = {"mean": reduction_node("mean", wide=True)}
LAYERS = {"mean": mean_layer}
KERNEL_CASES = {"portable/mean": KernelCases(corners=_corners)}
