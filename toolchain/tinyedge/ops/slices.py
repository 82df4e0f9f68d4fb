"""slice, strided_slice: a box of a tensor, each axis from a beginning in steps; that of a slice may be computed."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinyedge.arithmetic import movement
from tinyedge.arithmetic.movement import Movement, View, make_copies
from tinyedge.graph.access import constant, first_input, first_output, input_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks, computed_boxes
from tinyedge.ops.checks import element_types
from tinyedge.ops.computed_boxes import ComputedBox
from tinyedge.ops.contract import Layer, OperatorSpec, movement_layer

_SLICED_AXES = 5
_STRIDED_AXES = 4

_Part = tuple[int, int, int]
"""beginning, count and step along one axis"""


def _numbers(graph: Graph, operator: Operator, position: int) -> list[int]:
    return [int(value) for value in constant(graph.tensors[operator.inputs[position]]).reshape(-1)]


def _begins_anywhere(graph: Graph, operator: Operator) -> bool:
    """Whether it is a slice whose beginning is computed."""
    begin = input_tensor(graph, operator, 1)
    return operator.name == "slice" and begin is not None and not begin.is_constant


def _slice_parts(graph: Graph, operator: Operator) -> list[_Part]:
    """Per axis; a size of -1 is all that is left."""
    if _begins_anywhere(graph, operator):
        return [(0, size, 1) for size in _numbers(graph, operator, 2)]
    begins, sizes = _numbers(graph, operator, 1), _numbers(graph, operator, 2)
    shape = first_input(graph, operator).shape
    return [
        (begin, length - begin if size == -1 else size, 1)
        for begin, size, length in zip(begins, sizes, shape, strict=True)
    ]


def _strided_parts(graph: Graph, operator: Operator) -> list[_Part]:
    """Per axis, indices below 0 counted from the end and then limited to the axis, as Python's slices are."""
    shape = first_input(graph, operator).shape
    begins, ends, steps = (_numbers(graph, operator, position) for position in (1, 2, 3))
    options = operator.options
    parts = []
    for axis, (length, first, last, step) in enumerate(zip(shape, begins, ends, steps, strict=True)):
        low, high = (0, length) if step > 0 else (-1, length - 1)
        begin = min(max(first + length if first < 0 else first, low), high)
        if options["begin_mask"] >> axis & 1:
            begin = 0 if step > 0 else length - 1
        end = min(max(last + length if last < 0 else last, low), high)
        if options["end_mask"] >> axis & 1:
            end = high if step > 0 else -1
        if options["shrink_axis_mask"] >> axis & 1:
            end, step = begin + 1, 1  # noqa: PLW2901
        parts.append((begin, max(math.ceil((end - begin) / step), 0), step))
    return parts


def _parts(graph: Graph, operator: Operator) -> list[_Part]:
    return _slice_parts(graph, operator) if operator.name == "slice" else _strided_parts(graph, operator)


def _constant_indices(graph: Graph, operator: Operator, count: int, types: tuple[DType, ...]) -> bool:
    for position in range(1, 1 + count):
        tensor = input_tensor(graph, operator, position)
        if tensor is None or not tensor.is_constant or tensor.dtype not in types:
            return False
        if tensor.elements != len(first_input(graph, operator).shape):
            return False
    return True


def constant_box(graph: Graph, operator: Operator) -> bool:
    """Beginning and size are constants of int32 or int64, a number for each of at most five axes; the beginning may be
    computed, in int32, of int8, int16 or int32."""
    rank = len(first_input(graph, operator).shape)
    if _begins_anywhere(graph, operator):
        return 1 <= rank <= _SLICED_AXES and _computed_begin(graph, operator, rank)
    return 1 <= rank <= _SLICED_AXES and _constant_indices(graph, operator, 2, (DType.INT32, DType.INT64))


def _computed_begin(graph: Graph, operator: Operator, rank: int) -> bool:
    begin, size = input_tensor(graph, operator, 1), input_tensor(graph, operator, 2)
    assert begin is not None, "which is computed"
    moved = first_input(graph, operator).dtype in (DType.INT8, DType.INT16, DType.INT32)
    known = size is not None and size.is_constant and size.dtype is DType.INT32 and size.elements == rank
    return moved and known and begin.dtype is DType.INT32 and begin.shape == (rank,)


def constant_strides(graph: Graph, operator: Operator) -> bool:
    """Beginning, end and strides are constants of int32, a number for each of at most four axes, no stride 0."""
    rank = len(first_input(graph, operator).shape)
    if not 1 <= rank <= _STRIDED_AXES or not _constant_indices(graph, operator, 3, (DType.INT32,)):
        return False
    return 0 not in _numbers(graph, operator, 3)


def plain_masks(graph: Graph, operator: Operator) -> bool:
    """It uses the masks for beginning, end and shrinking; an ellipsis, a new axis and an end by offset are not run."""
    options = operator.options
    return not (options["ellipsis_mask"] or options["new_axis_mask"] or options.get("offset", False))


def shrunk_axes_step_forward(graph: Graph, operator: Operator) -> bool:
    """An axis that is shrunk to one index has a positive stride."""
    steps, mask = _numbers(graph, operator, 3), operator.options["shrink_axis_mask"]
    return all(step > 0 for axis, step in enumerate(steps) if mask >> axis & 1)


def box_is_inside(graph: Graph, operator: Operator) -> bool:
    """Every index it reads exists, and the output has the shape of the box (without the axes that are shrunk)."""
    parts = _parts(graph, operator)
    shape = first_input(graph, operator).shape
    for (begin, count, step), length in zip(parts, shape, strict=True):
        last = begin + (count - 1) * step
        if count < 0 or (count and not (0 <= begin < length and 0 <= last < length)):
            return False
    shrunk = operator.options.get("shrink_axis_mask", 0) if operator.name == "strided_slice" else 0
    counts = tuple(count for axis, (_, count, _) in enumerate(parts) if not shrunk >> axis & 1)
    return first_output(graph, operator).shape == counts


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    if _begins_anywhere(graph, operator):
        operands = (source, graph.tensors[operator.inputs[1]])
        return computed_boxes.make_box(operator, operands, target.shape, target)
    view = View.whole(source.shape)
    for axis, (begin, count, step) in enumerate(_parts(graph, operator)):
        view = view.part(axis, begin, count, step)
    return movement_layer(operator, [source], [target], make_copies(0, 0, [(view, View.whole(view.sizes))]))


def reference(params: Movement | ComputedBox, inputs: Sequence[Array]) -> tuple[Array, ...]:
    if isinstance(params, ComputedBox):
        return computed_boxes.reference(params, inputs)
    return movement.reference(params, inputs)


_MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
_TYPES = element_types(DType.INT8, DType.INT16, DType.INT32, DType.FLOAT32, DType.BOOL)

SPECS = (
    OperatorSpec("slice", (checks.arity(3, 3), _TYPES, constant_box, box_is_inside), parse, reference),
    OperatorSpec(
        name="strided_slice",
        constraints=(
            checks.arity(4, 4),
            checks.options(*_MASKS),
            _TYPES,
            constant_strides,
            plain_masks,
            shrunk_axes_step_forward,
            box_is_inside,
        ),
        parse=parse,
        reference=movement.reference,
    ),
)
