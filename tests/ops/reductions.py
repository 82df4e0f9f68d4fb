"""sum, reduce_max, reduce_min, arg_max, arg_min: over axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kits import tflm
from kits.draft import Draft, Entry
from kits.kernel_layers import Rng
from kits.nodes import reduction_node
from kits.operator_models import INT8, Operand, Shape, quantized, scale, shape_of, zero_point
from kits.tflite_builder import TfliteBuilder


def test_the_first_of_equals_is_found() -> None:
    builder = TfliteBuilder()
    x, y = builder.tensor((6,), scale=0.1), builder.tensor((), "int32")
    builder.operator("arg_max", [x, builder.tensor((1,), "int32", data=np.array([0], np.int32))], [y])
    assert tflm.assert_same(builder.build([x], [y]), np.array([3, 7, -2, 7, 7, 0], np.int8)) == 1


def reduction(
    name: str, output: Shape, target: Operand, *, axes: tuple[int, ...] = (1,), dtype: str = "int8", **options: Any
) -> bytes:
    builder = TfliteBuilder()
    x = builder.tensor((2, 3, 4), dtype, scale=0.1)
    y = builder.tensor(output, target.dtype, scale=target.scale, zero_point=target.zero_point)
    named = builder.tensor((len(axes),), "int32", data=np.array(axes, np.int32))
    builder.operator(name, [x, named], [y], **options)
    return builder.build([x], [y])


KEPT = {"keep_dims": False}


REFUSALS: list[tuple[bytes, str]] = [
    (reduction("sum", (2, 4), Operand("int8", 1e-12), **KEPT), "less than 2\\*\\*30 times"),
    (reduction("reduce_max", (2, 4), Operand("int16", 0.1), dtype="int16", **KEPT), "are int8"),
    (reduction("reduce_max", (2, 4), Operand("int8", 0.1, 1), **KEPT), "exactly the same scale"),
    (reduction("reduce_min", (2, 1, 4), INT8, **KEPT), "remains without the axes"),
    (reduction("arg_max", (2, 4), INT8), "its output int32"),
    (reduction("arg_max", (2,), Operand("int32"), axes=(1, 2)), "a single one"),
    (reduction("arg_min", (2, 1, 4), Operand("int32")), "remains without the axis"),
]
"""models that are refused, and words of the rule they break"""


def reduction_model(rng: Rng, name: str) -> bytes:
    """mean, sum, reduce_max, reduce_min over some axes, some counted from the end."""
    shape = shape_of(rng, most=7)
    axes = [axis for axis in range(len(shape)) if rng.random() < 0.5] or [len(shape) - 1]
    keep_dims = bool(rng.random() < 0.5)
    source = quantized(rng, "int8")
    target = quantized(rng, "int8") if name in ("mean", "sum") else source
    builder = TfliteBuilder()
    x = builder.tensor(shape, scale=source.scale, zero_point=source.zero_point)
    named = np.array([axis - len(shape) if rng.random() < 0.3 else axis for axis in axes], np.int32)
    reduced = np.zeros(shape).sum(axis=tuple(axes), keepdims=keep_dims).shape
    y = builder.tensor(reduced, scale=target.scale, zero_point=target.zero_point)
    builder.operator(name, [x, builder.tensor(named.shape, "int32", data=named)], [y], keep_dims=keep_dims)
    return builder.build([x], [y])


def arg_extremum_model(rng: Rng, name: str) -> bytes:
    shape = shape_of(rng, most=6)
    axis = int(rng.integers(len(shape)))
    builder = TfliteBuilder()
    x = builder.tensor(shape, scale=scale(rng), zero_point=zero_point(rng))
    named = np.array([axis - len(shape) if rng.random() < 0.3 else axis], np.int32)
    y = builder.tensor(shape[:axis] + shape[axis + 1 :], "int32")
    axes = builder.tensor((1,), "int32", data=named)
    builder.operator(name, [x, axes], [y], output_type=schema.TensorType.INT32)
    return builder.build([x], [y])


def arg_extremum_node(operator: str) -> Entry:
    def entry(draft: Draft) -> None:
        source = draft.take(draft.number(2, 4))
        rank = len(source.shape)
        axis = draft.number(0, rank - 1)
        shape = (*source.shape[:axis], *source.shape[axis + 1 :])
        named = draft.shape_constant([axis - rank if draft.flip(0.3) else axis])
        draft.put(operator, [source, named], shape, "int32", output_type=schema.TensorType.INT32)

    return entry


MODELS = {
    **{name: lambda rng, name=name: reduction_model(rng, name) for name in ("sum", "reduce_max", "reduce_min")},
    **{name: lambda rng, name=name: arg_extremum_model(rng, name) for name in ("arg_max", "arg_min")},
}
NODES = {
    "arg_max": arg_extremum_node("arg_max"),
    "arg_min": arg_extremum_node("arg_min"),
    "reduce_max": reduction_node("reduce_max", keeps=True),
    "reduce_min": reduction_node("reduce_min", keeps=True),
    "sum": reduction_node("sum", grows=True, wide=True),
}
