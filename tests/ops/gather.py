"""gather and gather_nd."""

from __future__ import annotations

from typing import Any

import numpy as np

from kits.draft import Draft, Node
from kits.kernel_layers import drafted
from kits.nodes import small
from kits.operator_models import OneOperator
from tinyedge.graph.reader import read_model
from tinyedge.ops.reference import run_graph

SHAPE = (2, 3, 4)


def gathered(
    *,
    indices: Any = (2, 0, 2),
    axis: int = 1,
    batch_dims: int = 0,
    output: tuple[int, ...] = (2, 3, 4),
    numbers: str = "int32",
) -> bytes:
    model = OneOperator()
    keys = [model.tensor(SHAPE), model.numbers(indices, numbers)]
    return model.build("gather", keys, [model.tensor(output)], axis=axis, batch_dims=batch_dims)


def gathered_nd(*, indices: Any = ((1, 2), (0, 0)), output: tuple[int, ...] = (2, 4)) -> bytes:
    model = OneOperator()
    return model.build("gather_nd", [model.tensor(SHAPE), model.numbers(indices)], [model.tensor(output)])


def test_an_index_beyond_the_end_is_limited() -> None:
    """TensorFlow Lite Micro reads what lies there; a device must not."""
    model = OneOperator()
    source, indices = model.tensor(SHAPE), model.tensor((4,), "int32")
    graph = read_model(model.build("gather", [source, indices], [model.tensor((2, 4, 4))], axis=1, batch_dims=0), "m")
    values = np.arange(24, dtype=np.int8).reshape(SHAPE)
    chosen = np.array([-5, 0, 2, 1 << 20], np.int32)
    output = run_graph(graph, [values, chosen])[graph.outputs[0]]
    np.testing.assert_array_equal(output, values[:, [0, 0, 2, 2]])


CORNERS = [
    gathered(axis=-1, indices=((3, 0), (1, 1)), output=(2, 3, 2, 2)),
    gathered(axis=2, batch_dims=1, indices=((3, 0), (1, 1)), output=(2, 3, 2)),
    gathered_nd(indices=((1,), (0,), (1,)), output=(3, 3, 4)),
    gathered_nd(indices=((1, 2, 3),), output=(1,)),
]
"""models that equal TensorFlow Lite Micro"""


REFUSALS = [
    (model(**arguments), rule)
    for model, arguments, rule in (
        (gathered, {"indices": (3, 0, 2)}, "name what is there"),
        (gathered, {"indices": (-1, 0, 2)}, "name what is there"),
        (gathered, {"axis": 3}, "The axis exists"),
        (gathered, {"batch_dims": 1}, "same for both inputs"),
        (gathered, {"output": (2, 4, 3)}, "in place of the axis"),
        (gathered, {"numbers": "int64"}, "indices are int32"),
        (gathered_nd, {"indices": ((1, 3), (0, 0))}, "name what is there"),
        (gathered_nd, {"indices": ((1, 2, 3, 0),), "output": (1,)}, "one to five leading axes"),
        (gathered_nd, {"output": (4, 2)}, "the other dimensions of the indices"),
    )
]
"""models that are refused, and words of the rule they break"""


def gather_node(draft: Draft) -> None:
    source = small(draft, draft.pick(2, 3))
    axis = draft.number(0, len(source.shape) - 1)
    shape = draft.pick((), (draft.number(1, 4),), (draft.number(1, 3), draft.number(1, 2)))
    if draft.flip(0.6):
        data = draft.chance.integers(0, source.shape[axis], shape)
        indices: Node | int = draft.constant(np.asarray(data, np.int32))
    else:
        indices = draft.input(shape or (1,), "int32", (0, source.shape[axis] - 1))
        shape = shape or (1,)
    result = (*source.shape[:axis], *shape, *source.shape[axis + 1 :])
    draft.same("gather", [source, indices], result, source, axis=axis, batch_dims=0)


def gather_nd_node(draft: Draft) -> None:
    source = small(draft, draft.pick(2, 3, 4))
    depth = draft.number(1, len(source.shape))
    count = draft.number(1, 5)
    data = np.stack([draft.chance.integers(0, size, count) for size in source.shape[:depth]], axis=-1)
    shape = (count, *source.shape[depth:])
    draft.same("gather_nd", [source, draft.constant(data.astype(np.int32))], shape, source)


NODES = {"gather": gather_node, "gather_nd": gather_nd_node}
LAYERS = {name: drafted(node, name) for name, node in NODES.items()}
