"""reshape, squeeze and expand_dims."""

from __future__ import annotations

import numpy as np
import pytest

from kits import tflm
from kits.draft import Draft
from kits.kernel_layers import Rng, make_layer
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.ops.reshape import Reshape

Shape = tuple[int, ...]


def reshaped(operator: str, before: Shape, after: Shape, *second: int, dtype: str = "int8") -> bytes:
    builder = TfliteBuilder()
    source = builder.tensor(before, dtype, scale=0.1)
    operands = [source]
    if second:
        operands.append(builder.tensor((len(second),), "int32", data=np.array(second, np.int32)))
    target = builder.tensor(after, dtype, scale=0.1)
    builder.operator(operator, operands, [target])
    return builder.build([source], [target])


def test_bytes() -> None:
    (layer,) = parse_graph(read_model(reshaped("reshape", (2, 6), (12,), dtype="int16"), "m"))
    assert layer.params.bytes == 24


def test_another_number_of_elements_is_refused() -> None:
    with pytest.raises(ModelError, match="same number of elements"):
        check(read_model(reshaped("reshape", (2, 3), (7,)), "m"))


def test_a_computed_shape_is_not_looked_at() -> None:
    """The file states the shape of the output, which is what the interpreter goes by."""
    builder = TfliteBuilder()
    x, s, y = builder.tensor((2, 3), scale=0.1), builder.tensor((1,), "int32"), builder.tensor((6,), scale=0.1)
    builder.operator("reshape", [x, s], [y])
    tflite = builder.build([x, s], [y])
    (layer,) = parse_graph(read_model(tflite, "m"))
    assert [tensor.index for tensor in layer.inputs] == [x]
    tflm.assert_exact_over_time(tflite, [[np.arange(6, dtype=np.int8).reshape(2, 3), np.array([7], np.int32)]])


def test_a_computed_axis_is_refused() -> None:
    builder = TfliteBuilder()
    x, a, y = builder.tensor((2, 3), scale=0.1), builder.tensor((), "int32"), builder.tensor((1, 2, 3), scale=0.1)
    builder.operator("expand_dims", [x, a], [y])
    with pytest.raises(ModelError, match="axis is a constant"):
        check(read_model(builder.build([x, a], [y]), "m"))


CORNERS = [
    reshaped("reshape", (2, 3, 4), (1, 24), 1, 24),
    reshaped("reshape", (2, 3, 4), (6, 4), -1, 4),
    reshaped("reshape", (2, 3, 4), (24,)),
    reshaped("reshape", (2, 6), (3, 4), 3, 4, dtype="int16"),
    reshaped("squeeze", (1, 3, 1, 4), (3, 4)),
    reshaped("expand_dims", (3, 4), (3, 1, 4), 1),
]
"""models that equal TensorFlow Lite Micro"""


def reshape_node(draft: Draft) -> None:
    source = draft.any(draft.kind())
    shape = draft.factors(source.elements, draft.number(1, 4))
    if draft.flip(0.3):  # the shape in the options alone, as old converters wrote it
        draft.same("reshape", [source], shape, source, newShape=list(shape))
    else:
        draft.reshape(source, shape)


def squeeze_node(draft: Draft) -> None:
    source = draft.any(accept=lambda node: 1 in node.shape and len(node.shape) > 1)
    if 1 not in source.shape or len(source.shape) < 2:
        source = draft.input((1, draft.number(1, 5), 1, draft.number(1, 5)))
    axes = [axis for axis, size in enumerate(source.shape) if size == 1]
    kept = [axis for axis in axes if draft.flip(0.4)]
    gone = [axis for axis in axes if axis not in kept] or axes[:1]
    if len(gone) == len(source.shape):
        gone = gone[1:]
    shape = tuple(size for axis, size in enumerate(source.shape) if axis not in gone)
    draft.same("squeeze", [source], shape, source, squeeze_dims=gone)


def expand_dims_node(draft: Draft) -> None:
    source = draft.any(accept=lambda node: len(node.shape) < 4)
    if len(source.shape) > 3:
        source = draft.input(draft.sizes(3))
    axis = draft.number(0, len(source.shape))
    shape = (*source.shape[:axis], 1, *source.shape[axis:])
    named = draft.shape_constant([axis - len(shape) if draft.flip(0.3) else axis])
    draft.same("expand_dims", [source, named], shape, source)


def reshape_layer(rng: Rng) -> Layer:
    elements = int(rng.integers(1, 100))
    shapes = [((elements, 2), DType.INT8)], [((2, elements), DType.INT8)]
    return make_layer("reshape", Reshape(2 * elements), *shapes)


NODES = {"reshape": reshape_node, "squeeze": squeeze_node, "expand_dims": expand_dims_node}
LAYERS = {"reshape": reshape_layer}
