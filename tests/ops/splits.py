"""split, split_v and unpack."""

from __future__ import annotations

import numpy as np

from kits.draft import Draft, Node
from kits.kernel_layers import Rng
from kits.movement_layers import axis_parts, moved_tensor, moving_layer, resized
from kits.operator_models import OneOperator, Shape
from tinyedge.arithmetic.movement import View, make_copies
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer

SHAPE = (2, 3, 4)


def cut(
    name: str = "split",
    *,
    dtype: str = "int8",
    axis: int = 2,
    outputs: tuple[tuple[int, ...], ...] = ((2, 3, 2), (2, 3, 2)),
    sizes: tuple[int, ...] = (2, 2),
    axis_known: bool = True,
) -> bytes:
    model = OneOperator()
    source = model.tensor(SHAPE, dtype)
    named = model.numbers(axis) if axis_known else model.tensor((1,), "int32")
    targets = [model.tensor(shape, dtype) for shape in outputs]
    if name == "unpack":
        return model.build(name, [source], targets, axis=axis, num=len(targets))
    keys = [named, source] if name == "split" else [source, model.numbers(sizes), named]
    return model.build(name, keys, targets, num_splits=len(targets))


def test_axes_are_merged_where_both_sides_allow_it() -> None:
    (layer,) = parse_graph(read_model(cut(dtype="int32", axis=0, outputs=((1, 3, 4), (1, 3, 4))), "m"))
    assert [(copy.target, copy.sizes) for copy in layer.params.copies] == [(0, (12,)), (1, (12,))]


CORNERS = [
    *(cut(dtype=dtype) for dtype in ("int16", "int32")),
    cut("split_v", outputs=((2, 3, 1), (2, 3, 3)), sizes=(1, -1)),
    cut("unpack", axis=-3, outputs=((3, 4), (3, 4))),
]
"""models that equal TensorFlow Lite Micro"""


REFUSALS = [
    (cut(**arguments), rule)
    for arguments, rule in (
        ({"axis": 3}, "The axis exists"),
        ({"axis_known": False}, "constant of int32"),
        ({"dtype": "int64"}, "int8, int16, int32 or float32"),
        ({"outputs": ((2, 3, 1), (2, 3, 3))}, "in equal shares"),
        ({"name": "split_v", "sizes": (1, 3)}, "sizes of split_v"),
        ({"name": "split_v", "sizes": (2, 2, 2)}, "sizes of split_v"),
        ({"name": "unpack", "axis": 0, "outputs": ((3, 4),)}, "without the axis"),
    )
]
"""models that are refused, and words of the rule they break"""


def _axis_to_split(draft: Draft) -> tuple[Node, int]:
    """A tensor and an axis with at least two elements."""
    source = draft.any(draft.kind(), accept=lambda node: max(node.shape, default=1) > 1 and len(node.shape) <= 4)
    if max(source.shape, default=1) < 2:
        source = draft.input((1, draft.number(2, 6), draft.number(2, 6)))
    return source, int(draft.pick(*(axis for axis, size in enumerate(source.shape) if size > 1)))


def _cut(shape: Shape, axis: int, size: int) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])


def split_node(draft: Draft) -> None:
    source, axis = _axis_to_split(draft)
    size = source.shape[axis]
    divisors = [n for n in range(2, 5) if size % n == 0]
    count = draft.pick(*divisors) if divisors else size if size < 8 else 1
    targets = [draft.target(_cut(source.shape, axis, size // count), source) for _ in range(count)]
    named = draft.constant(np.array(axis - len(source.shape) if draft.flip(0.3) else axis, np.int32))
    draft.put_all("split", [named, source], targets, num_splits=count)


def split_v_node(draft: Draft) -> None:
    source, axis = _axis_to_split(draft)
    size = source.shape[axis]
    first = draft.number(1, size - 1)
    parts = [first, size - first]
    if parts[1] > 1 and draft.flip(0.5):
        parts[1:] = [1, parts[1] - 1]
    targets = [draft.target(_cut(source.shape, axis, part), source) for part in parts]
    named = draft.constant(np.array(axis, np.int32))
    draft.put_all("split_v", [source, draft.shape_constant(parts), named], targets, num_splits=len(parts))


def unpack_node(draft: Draft) -> None:
    source = draft.any(accept=lambda node: len(node.shape) > 1 and min(node.shape) <= 5)
    if len(source.shape) < 2 or min(source.shape) > 5:
        source = draft.input((1, draft.number(1, 5), draft.number(1, 5)))
    axis = draft.pick(*(axis for axis, size in enumerate(source.shape) if size <= 5))
    shape = (*source.shape[:axis], *source.shape[axis + 1 :])
    targets = [draft.target(shape, source) for _ in range(source.shape[axis])]
    draft.put_all("unpack", [source], targets, axis=axis, num=len(targets))


def cut_layer(rng: Rng) -> Layer:
    """A tensor cut_layer along an axis into one to three."""
    dtype, shape, axis, lengths = axis_parts(rng)
    whole = resized(shape, axis, sum(lengths))
    shapes, copies, begin = [], [], 0
    for number, length in enumerate(lengths):
        shapes.append(resized(shape, axis, length))
        part = View.whole(whole).part(axis, begin, length)
        copies += make_copies(0, number, [(part, View.whole(shapes[-1]))])
        begin += length
    return moving_layer("split_v", dtype, [moved_tensor(0, whole, dtype)], shapes, copies)


NODES = {"split": split_node, "split_v": split_v_node, "unpack": unpack_node}
LAYERS = {"split_v": cut_layer}
