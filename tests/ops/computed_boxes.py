"""dynamic_update_slice, and slice from a computed beginning."""

from __future__ import annotations

import numpy as np
import pytest

from kits import tflm
from kits.draft import Draft, Shape
from kits.kernel_layers import drafted
from kits.tflite_builder import TfliteBuilder
from tinyedge.graph.reader import read_model
from tinyedge.ops.reference import run_graph

SHAPE = (3, 4, 5)


def updated(
    *,
    dtype: str = "int8",
    box: Shape = (1, 4, 2),
    numbers: str = "int32",
    axes: int = 3,
    output: Shape = SHAPE,
    known: tuple[str, ...] = (),
) -> bytes:
    """A box written into a tensor; `known` are constants among tensor, box and begin."""
    builder = TfliteBuilder()
    tensors: dict[str, tuple[Shape, str]] = {"tensor": (SHAPE, dtype), "box": (box, dtype), "begin": ((axes,), numbers)}
    keys, given = [], []
    for at, (name, (shape, kind)) in enumerate(tensors.items()):
        data = np.arange(int(np.prod(shape))).reshape(shape).astype(kind) + at if name in known else None
        keys.append(builder.tensor(shape, kind, scale=None if name == "begin" else 0.1, data=data))
        given += [] if name in known else [keys[-1]]
    target = builder.tensor(output, dtype, scale=0.1)
    builder.operator("dynamic_update_slice", keys, [target])
    return builder.build(given, [target])


def sliced(*, dtype: str = "int8", size: Shape = (1, 4, 2), numbers: str = "int32") -> bytes:
    builder = TfliteBuilder()
    source = builder.tensor(SHAPE, dtype, scale=0.1)
    begin = builder.tensor((3,), numbers)
    target = builder.tensor((1, 4, 2), dtype, scale=0.1)
    builder.operator("slice", [source, begin, builder.tensor((3,), numbers, data=np.array(size, numbers))], [target])
    return builder.build([source, begin], [target])


BEGINS = [(0, 0, 0), (2, 0, 3), (1, 0, 2)]
OUTSIDE = [(-1, -7, 9), (3, 1, 4), (1 << 30, -(1 << 31), (1 << 31) - 1)]


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32"])
@pytest.mark.parametrize("begin", [*BEGINS, *OUTSIDE])
def test_what_is_written_goes_where_it_fits(dtype: str, begin: Shape) -> None:
    tflite = updated(dtype=dtype)
    inputs = tflm.random_inputs(read_model(tflite, "m"), 1)
    tflm.assert_same(tflite, *inputs[:2], np.array(begin, np.int32))


@pytest.mark.parametrize("known", [("tensor",), ("box",), ("begin",), ("tensor", "box"), ("box", "begin")])
def test_operands_may_be_constants(known: tuple[str, ...]) -> None:
    tflite = updated(known=known)
    graph = read_model(tflite, "m")
    inputs = tflm.random_inputs(graph, 1)
    if "begin" not in known:
        inputs[-1] = np.array([2, 0, 1], np.int32)
    tflm.assert_same(tflite, *inputs)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32"])
@pytest.mark.parametrize("begin", BEGINS)
def test_what_is_read(dtype: str, begin: Shape) -> None:
    tflite = sliced(dtype=dtype)
    source = tflm.random_inputs(read_model(tflite, "m"), 2)[0]
    tflm.assert_same(tflite, source, np.array(begin, np.int32))


def test_what_is_read_outside_is_moved_inside() -> None:
    """Where TensorFlow Lite Micro reads whatever lies there."""
    graph = read_model(sliced(), "m")
    source = tflm.random_inputs(graph, 2)[0]
    result = run_graph(graph, [source, np.array([7, -3, 5], np.int32)])[graph.outputs[0]]
    np.testing.assert_array_equal(result, source[2:, 0:4, 3:])


REFUSALS = [
    (updated(box=(1, 5, 2)), "no longer along any"),
    (updated(box=(4, 2)), "as many axes as the tensor"),
    (updated(axes=2), "a number for each axis"),
    (updated(numbers="int64"), "begins is int32"),
    (updated(dtype="bool"), "all int8, all int16 or all int32"),
    (sliced(dtype="bool"), "the beginning may be computed"),
    (sliced(numbers="int64"), "the beginning may be computed"),
    (sliced(size=(1, -1, 2)), "has the shape of the box"),
]
"""models that are refused, and words of the rule they break"""


def dynamic_update_slice_node(draft: Draft) -> None:
    source = draft.take(draft.number(1, 4), draft.kind())
    box = tuple(draft.number(1, size) for size in source.shape)
    written = [node for node in draft.tensors(source.dtype) if node.shape == box]
    written = written or [draft.input(box, source.dtype, scale=source.scale, zero_point=source.zero_point)]
    begin = draft.input((len(box),), "int32", (-1, max(source.shape)))
    draft.same("dynamic_update_slice", [source, written[-1], begin], source.shape, source)


NODES = {"dynamic_update_slice": dynamic_update_slice_node}
LAYERS = {"dynamic_update_slice": drafted(dynamic_update_slice_node, "dynamic_update_slice")}
