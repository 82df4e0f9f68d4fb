"""space_to_depth, depth_to_space, space_to_batch_nd and batch_to_space_nd."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kits.draft import Draft, Node
from kits.kernel_layers import Rng
from kits.movement_layers import moved_tensor, moving_layer, random_sizes
from kits.nodes import small
from kits.operator_models import OneOperator, Shape
from tinyedge.arithmetic.movement import View, make_copies
from tinyedge.graph.ir import DType
from tinyedge.graph.reader import read_model
from tinyedge.ops.contract import Layer
from tinyedge.ops.reference import run_graph


def blocks(name: str, source: tuple[int, ...], target: tuple[int, ...], block: int = 2) -> bytes:
    model = OneOperator()
    return model.build(name, [model.tensor(source)], [model.tensor(target)], block_size=block)


def batched(
    name: str = "space_to_batch_nd",
    source: tuple[int, ...] = (1, 4, 6, 2),
    target: tuple[int, ...] = (4, 2, 3, 2),
    block: tuple[int, ...] = (2, 2),
    border: Any = ((0, 0), (0, 0)),
) -> bytes:
    model = OneOperator()
    keys = [model.tensor(source), model.numbers(block), model.numbers(border)]
    return model.build(name, keys, [model.tensor(target)])


def test_a_border_is_zero_bytes() -> None:
    """In memory that was zero, as on a device, TensorFlow Lite Micro leaves them so, whatever the zero point is."""
    graph = read_model(batched(border=((2, 0), (0, 0)), target=(4, 3, 3, 2)), "m")
    assert graph.tensors[graph.outputs[0]].zero_point != 0
    values = run_graph(graph, [np.full((1, 4, 6, 2), 100, np.int8)])[graph.outputs[0]]
    assert np.all(values[:, 0] == 0)
    assert np.all(values[:, 1:] == 100)


CORNERS = [
    batched(),
    batched(source=(1, 6, 2), target=(2, 3, 2), block=(2,), border=((0, 0),)),
    batched("batch_to_space_nd", source=(4, 2, 3, 2), target=(1, 3, 4, 2), border=((1, 0), (0, 2))),
    batched("batch_to_space_nd", source=(2, 3, 2), target=(1, 5, 2), block=(2,), border=((0, 1),)),
]
"""models that equal TensorFlow Lite Micro"""


REFUSALS = [
    (model(**arguments), rule)
    for model, arguments, rule in (
        (blocks, {"name": "space_to_depth", "source": (1, 3, 4, 1), "target": (1, 1, 2, 4)}, "divide the larger side"),
        (blocks, {"name": "depth_to_space", "source": (1, 2, 2, 6), "target": (1, 4, 4, 1)}, "divide the larger side"),
        (blocks, {"name": "space_to_depth", "source": (4, 4, 1), "target": (2, 2, 4)}, "four dimensions"),
        (batched, {"block": (2, 3)}, "Blocks divide the space"),
        (batched, {"block": (2,)}, "for each spatial dimension"),
        (batched, {"source": (1, 4), "target": (2, 2), "block": (2,)}, "three .* or four dimensions"),
    )
]
"""models that are refused, and words of the rule they break"""


def space_to_depth_node(draft: Draft) -> None:
    block = draft.number(2, 3)
    rows, columns, depth = block * draft.number(1, 3), block * draft.number(1, 3), draft.number(1, 3)
    source = _of_shape(draft, (1, rows, columns, depth))
    shape = (1, rows // block, columns // block, depth * block * block)
    draft.same("space_to_depth", [source], shape, source, block_size=block)


def depth_to_space_node(draft: Draft) -> None:
    block = draft.number(2, 3)
    rows, columns, depth = draft.number(1, 3), draft.number(1, 3), draft.number(1, 3)
    source = _of_shape(draft, (1, rows, columns, depth * block * block))
    draft.same("depth_to_space", [source], (1, rows * block, columns * block, depth), source, block_size=block)


def _of_shape(draft: Draft, shape: Shape) -> Node:
    """A tensor of exactly that shape: there, reshaped, or a new input."""
    fitting = [node for node in draft.tensors() if node.elements == math.prod(shape)]
    if not fitting:
        return draft.input(shape)
    node = fitting[draft.number(0, len(fitting) - 1)]
    return node if node.shape == shape else draft.reshape(node, shape)


def space_to_batch_nd_node(draft: Draft) -> None:
    """Without a border: TensorFlow Lite Micro fills it with what its memory held, here another model's."""
    source = small(draft, 4)
    block = [draft.pick(*(step for step in (1, 2, 3) if size % step == 0)) for size in source.shape[1:3]]
    sizes = [size // step for size, step in zip(source.shape[1:3], block, strict=True)]
    keys = [source, draft.shape_constant(block), draft.constant(np.zeros((2, 2), np.int32))]
    draft.same("space_to_batch_nd", keys, (math.prod(block), *sizes, source.shape[3]), source)


def batch_to_space_nd_node(draft: Draft) -> None:
    block = [draft.number(1, 3), draft.number(1, 2)]
    sizes = [draft.number(1, 4), draft.number(1, 4)]
    source = _of_shape(draft, (math.prod(block), *sizes, draft.number(1, 3)))
    crops = [(draft.number(0, 1), 0) if n * step > 1 else (0, 0) for n, step in zip(sizes, block, strict=True)]
    left = [n * step - sum(pair) for n, step, pair in zip(sizes, block, crops, strict=True)]
    keys = [source, draft.shape_constant(block), draft.constant(np.array(crops, np.int32))]
    draft.same("batch_to_space_nd", keys, (1, *left, source.shape[3]), source)


def bordered_layer(rng: Rng) -> Layer:
    """A tensor in the middle of a larger one of a single value."""
    shape = random_sizes(rng)
    before, after = rng.integers(0, 3, len(shape)), rng.integers(0, 3, len(shape))
    target = tuple(int(size) for size in np.array(shape) + before + after)
    view = View.whole(target)
    for axis, size in enumerate(shape):
        view = view.part(axis, int(before[axis]), size)
    copies = make_copies(0, 0, [(View.whole(shape), view)])
    fill = int(rng.integers(-128, 128))
    return moving_layer("space_to_batch_nd", DType.INT8, [moved_tensor(0, shape, DType.INT8)], [target], copies, fill)


NODES = {
    "space_to_depth": space_to_depth_node,
    "depth_to_space": depth_to_space_node,
    "space_to_batch_nd": space_to_batch_nd_node,
    "batch_to_space_nd": batch_to_space_nd_node,
}
LAYERS = {"space_to_batch_nd": bordered_layer}
