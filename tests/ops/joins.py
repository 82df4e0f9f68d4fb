"""concatenation and pack."""

from __future__ import annotations

from dataclasses import replace

from kits.draft import MOST_ELEMENTS, Draft, Node
from kits.kernel_layers import Rng
from kits.movement_layers import axis_parts, moved_tensor, moving_layer, resized
from kits.nodes import small
from kits.operator_models import OneOperator
from tinyedge.arithmetic.movement import Movement, View, make_copies
from tinyedge.graph.ir import DType
from tinyedge.graph.reader import read_model
from tinyedge.measure.oracle_limits import MOST_JOINED
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer

SHAPE = (2, 3, 4)


def joined(
    *,
    dtype: str = "int8",
    shapes: tuple[tuple[int, ...], ...] = ((2, 1, 4), (2, 3, 4)),
    output: tuple[int, ...] = (2, 4, 4),
    axis: int = 1,
    activation: str = "none",
    scale: float = 0.1,
    zero_point: int = -7,
) -> bytes:
    model = OneOperator()
    keys = [model.tensor(shape, dtype) for shape in shapes[:-1]]
    special = {"scale": scale, "zero_point": zero_point} if dtype == "int8" else {}
    keys.append(model.tensor(shapes[-1], dtype, **special))
    target = model.tensor(output, dtype)
    return model.build("concatenation", keys, [target], axis=axis, fused_activation_function=activation)


def packed(*, shapes: tuple[tuple[int, ...], ...] = ((3, 4), (3, 4)), output: tuple[int, ...] = SHAPE) -> bytes:
    model = OneOperator()
    keys = [model.tensor(shape) for shape in shapes]
    return model.build("pack", keys, [model.tensor(output)], axis=0, values_count=len(keys))


def test_axes_are_merged_where_both_sides_allow_it() -> None:
    (layer,) = parse_graph(read_model(joined(), "m"))
    params: Movement = layer.params
    assert [(copy.sizes, copy.target_steps) for copy in params.copies] == [((2, 4), (16, 1)), ((2, 12), (16, 1))]
    assert params.element_bytes == 1


CORNERS = [
    *(joined(dtype=dtype) for dtype in ("int16", "int32", "int64", "bool")),
    joined(shapes=((2, 4, 4),), output=(2, 4, 4)),
]
"""models that equal TensorFlow Lite Micro"""


REFUSALS = [
    (model(**arguments), rule)
    for model, arguments, rule in (
        (joined, {"scale": 0.2}, "exactly the output's scale and zero point"),
        (joined, {"zero_point": 3}, "exactly the output's scale and zero point"),
        (joined, {"activation": "relu"}, "no fused activation"),
        (joined, {"axis": 3}, "add up to the output"),
        (joined, {"output": (2, 5, 4)}, "add up to the output"),
        (joined, {"shapes": ((2, 4), (2, 3, 4))}, "add up to the output"),
        (joined, {"shapes": ((2, 1, 4),) * 1025, "output": (2, 1025, 4)}, "1025 inputs and 1 outputs, at most 1024"),
        (packed, {"shapes": ((3, 4), (4, 3))}, "All inputs have one shape"),
        (packed, {"output": (3, 3, 4)}, "All inputs have one shape"),
    )
]
"""models that are refused, and words of the rule they break"""


def concatenation_node(draft: Draft) -> None:
    """Of two to four pieces with one quantization, or of more than TensorFlow Lite Micro takes; the same tensor may be
    several of them."""
    first = small(draft, draft.pick(4, 4, 3, 2), draft.kind())
    if first.dtype == "int16" and first.zero_point:  # of a softmax, which it does not join
        first = draft.input(first.shape, first.dtype)
    axis = draft.number(0, len(first.shape) - 1)
    if axis == 0 and draft.flip(0.8):
        axis = len(first.shape) - 1
    pieces: list[Node | int] = [first]
    total = first.shape[axis]
    for _ in range(draft.number(MOST_JOINED, MOST_JOINED + 3) if draft.flip(0.08) else draft.number(1, 3)):
        size = draft.number(1, 4)
        shape = (*first.shape[:axis], size, *first.shape[axis + 1 :])
        match draft.number(0, 3):
            case 0:
                pieces.append(first)
                size = first.shape[axis]
            case 1:
                pieces.append(draft.values_like(shape, first))
            case 2:
                pieces.append(draft.input(shape, first.dtype, scale=first.scale, zero_point=first.zero_point))
            case _:
                found = [n for n in draft.tensors(first.dtype) if n.shape == first.shape]
                other = found[draft.number(0, len(found) - 1)]
                quantized = (first.scale, first.zero_point)
                if (other.scale, other.zero_point) != quantized:
                    other = draft.same("quantize", [other], other.shape, first)
                pieces.append(other)
                size = first.shape[axis]
        total += size
    draft.chance.shuffle(pieces)  # type: ignore[arg-type]
    shape = (*first.shape[:axis], total, *first.shape[axis + 1 :])
    named = axis - len(shape) if draft.flip(0.3) else axis
    draft.same("concatenation", pieces, shape, first, axis=named, fused_activation_function="none")


def pack_node(draft: Draft) -> None:
    first = draft.any(accept=lambda node: len(node.shape) <= 3 and node.elements <= MOST_ELEMENTS // 3)
    if len(first.shape) > 3 or first.elements > MOST_ELEMENTS // 3:
        first = draft.input(draft.sizes(2))
    pieces: list[Node | int] = [first]
    for _ in range(draft.number(1, 2)):
        same = draft.values_like(first.shape, first)
        pieces.append(draft.pick(first, same))
    axis = draft.number(0, len(first.shape))
    shape = (*first.shape[:axis], len(pieces), *first.shape[axis:])
    draft.same("pack", pieces, shape, first, axis=axis, values_count=len(pieces))


def joined_layer(rng: Rng) -> Layer:
    """One to three tensors along an axis, some of them constants."""
    dtype, shape, axis, lengths = axis_parts(rng)
    whole = resized(shape, axis, sum(lengths))
    sources, copies, begin = [], [], 0
    for number, length in enumerate(lengths):
        tensor = moved_tensor(number, resized(shape, axis, length), dtype)
        if number and rng.random() < 0.3:
            values = rng.integers(0, 2 if dtype is DType.BOOL else 100, tensor.shape)
            tensor = replace(tensor, data=values.astype(dtype.numpy))
        part = View.whole(whole).part(axis, begin, length)
        copies += make_copies(number, 0, [(View.whole(tensor.shape), part)])
        sources.append(tensor)
        begin += length
    return moving_layer("concatenation", dtype, sources, [whole], copies)


NODES = {"concatenation": concatenation_node, "pack": pack_node}
LAYERS = {"concatenation": joined_layer}
