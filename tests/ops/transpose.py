"""transpose."""

from __future__ import annotations

from kits.draft import Draft
from kits.kernel_layers import KernelCases, Rng
from kits.movement_layers import TYPES, moved_tensor, moving_layer, random_sizes
from kits.operator_models import OneOperator
from tinyedge.arithmetic.movement import View, make_copies
from tinyedge.graph.ir import DType
from tinyedge.ops.contract import Layer

SHAPE = (2, 3, 4)


def transposed(
    *, dtype: str = "int8", order: tuple[int, ...] = (2, 0, 1), output: tuple[int, ...] = (4, 2, 3)
) -> bytes:
    model = OneOperator()
    return model.build("transpose", [model.tensor(SHAPE, dtype), model.numbers(order)], [model.tensor(output, dtype)])


CORNERS = [transposed(dtype="int16")]
"""models that equal TensorFlow Lite Micro"""


REFUSALS = [
    (transposed(**arguments), rule)
    for arguments, rule in (
        ({"dtype": "int32"}, "int8, int16 or float32"),
        ({"order": (0, 0, 1)}, "names each of one to five axes once"),
        ({"order": (-1, 0, 1)}, "counted from the front"),
        ({"output": (4, 3, 2)}, "in that order"),
    )
]
"""models that are refused, and words of the rule they break"""


def transpose_node(draft: Draft) -> None:
    source = draft.take(draft.number(2, 4), draft.kind())
    order = [int(axis) for axis in draft.chance.permutation(len(source.shape))]
    if draft.flip(0.6):
        order = [0, *(axis for axis in order if axis)]
    shape = tuple(source.shape[axis] for axis in order)
    draft.same("transpose", [source, draft.shape_constant(order)], shape, source)


def ordered_part(rng: Rng, dtype: DType | None = None) -> Layer:
    """A part of a tensor in steps forwards or backwards, its axes in another order."""
    dtype = dtype or TYPES[int(rng.integers(len(TYPES)))]
    shape = random_sizes(rng)
    view = View.whole(shape)
    for axis, size in enumerate(shape):
        count = int(rng.integers(1, size + 1))
        step = int(rng.choice([1, 1, 2, 3])) if (count - 1) * 2 < size else 1
        step = min(step, (size - 1) // max(count - 1, 1)) or 1
        begin = int(rng.integers(0, size - (count - 1) * step))
        if rng.random() < 0.3:
            view = view.part(axis, begin + (count - 1) * step, count, -step)
        else:
            view = view.part(axis, begin, count, step)
    view = view.permuted(
        [int(axis) for axis in rng.permutation(len(shape))] if rng.random() < 0.6 else range(len(shape))
    )
    copies = make_copies(0, 0, [(view, View.whole(view.sizes))])
    return moving_layer("transpose", dtype, [moved_tensor(0, shape, dtype)], [view.sizes], copies)


NODES = {"transpose": transpose_node}
LAYERS = {"transpose": ordered_part}
KERNEL_CASES = {"portable/movement": KernelCases(sensitive=lambda rng: ordered_part(rng, DType.INT8))}
