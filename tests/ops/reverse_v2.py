"""reverse_v2."""

from __future__ import annotations

from typing import Any

from kits.draft import Draft
from kits.kernel_layers import drafted
from kits.operator_models import OneOperator

SHAPE = (2, 3, 4)


def reversed_along(
    axes: Any,
    *,
    dtype: str = "int8",
    shape: tuple[int, ...] = SHAPE,
    output: tuple[int, ...] | None = None,
    numbers: str = "int32",
) -> bytes:
    model = OneOperator()
    keys = [model.tensor(shape, dtype), model.numbers(axes, numbers)]
    return model.build("reverse_v2", keys, [model.tensor(output or shape, dtype)])


CORNERS = [
    *(reversed_along([1], dtype=dtype) for dtype in ("int8", "int16", "int32", "int64", "bool")),
    reversed_along([-1, 1]),
    reversed_along([0, 1, 2]),
    reversed_along([3, 2], shape=(2, 3, 1, 4, 2)),
    reversed_along([0], shape=(5,)),
]
"""models that equal TensorFlow Lite Micro"""

REFUSALS = [
    (reversed_along([0, 2]), "next to each other"),
    (reversed_along([1, 1]), "each is named once"),
    (reversed_along([1, -2]), "each is named once"),
    (reversed_along([3]), "each an axis of the input"),
    (reversed_along([1], numbers="int64"), "constant of int32"),
    (reversed_along([1], output=(2, 4, 3)), "same shape"),
]
"""models that are refused, and words of the rule they break"""


def reverse_v2_node(draft: Draft) -> None:
    source = draft.take(draft.number(1, 4), draft.kind())
    rank = len(source.shape)
    first = draft.number(0, rank - 1)
    axes = list(range(first, draft.number(first, rank - 1) + 1))
    draft.chance.shuffle(axes)
    named = draft.shape_constant([axis - rank if draft.flip(0.3) else axis for axis in axes])
    draft.same("reverse_v2", [source, named], source.shape, source)


NODES = {"reverse_v2": reverse_v2_node}
LAYERS = {"reverse_v2": drafted(reverse_v2_node, "reverse_v2")}
