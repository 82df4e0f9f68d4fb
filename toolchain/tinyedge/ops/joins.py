"""concatenation, pack: tensors put next to each other along one axis, an existing one or a new one."""

from __future__ import annotations

from tinyedge.arithmetic.movement import Shape, View, make_copies, reference
from tinyedge.graph.access import first_output
from tinyedge.graph.ir import DType, Graph, Operator, Tensor
from tinyedge.ops import checks
from tinyedge.ops.checks import element_types
from tinyedge.ops.contract import Layer, OperatorSpec, movement_layer

_MOST_JOINED = 1024


def _operands(graph: Graph, operator: Operator) -> list[Tensor]:
    return [graph.tensors[key] for key in operator.inputs]


def _axis(graph: Graph, operator: Operator) -> int:
    """The axis of the output along which inputs follow each other, counted from the front."""
    axis, rank = int(operator.options["axis"]), len(first_output(graph, operator).shape)
    return axis + rank if axis < 0 else axis


def _axis_exists(graph: Graph, operator: Operator) -> bool:
    return 0 <= _axis(graph, operator) < len(first_output(graph, operator).shape)


def inputs_present(graph: Graph, operator: Operator) -> bool:
    """None of its inputs is left out."""
    return all(key >= 0 for key in operator.inputs)


def same_values(graph: Graph, operator: Operator) -> bool:
    """int8: all inputs have exactly the output's scale and zero point; int16: all zero points are 0."""
    target = first_output(graph, operator)
    tensors = [*_operands(graph, operator), target]
    if target.dtype is DType.INT8:
        same = {(t.quantization.scale, t.quantization.zero_point) if t.quantization else None for t in tensors}
        return None not in same and len(same) == 1
    if target.dtype is DType.INT16:
        return not any(t.quantization and any(t.quantization.zero_point) for t in tensors)
    return True


def joins_to_output(graph: Graph, operator: Operator) -> bool:
    """Along the axis the inputs add up to the output; along the others, one to six in all, they are as long."""
    target = first_output(graph, operator).shape
    if not _axis_exists(graph, operator) or len(target) > 6:
        return False
    axis = _axis(graph, operator)
    shapes = [tensor.shape for tensor in _operands(graph, operator)]
    if any(len(shape) != len(target) for shape in shapes):
        return False
    others = {(*shape[:axis], *shape[axis + 1 :]) for shape in (*shapes, target)}
    return len(others) == 1 and sum(shape[axis] for shape in shapes) == target[axis]


def packs_to_output(graph: Graph, operator: Operator) -> bool:
    """All inputs have one shape; the output has it too, with the number of inputs as one more axis."""
    target = first_output(graph, operator).shape
    if not _axis_exists(graph, operator):
        return False
    axis, count = _axis(graph, operator), len(operator.inputs)
    around: Shape = (*target[:axis], *target[axis + 1 :])
    return target[axis] == count and all(tensor.shape == around for tensor in _operands(graph, operator))


def parse(graph: Graph, operator: Operator) -> Layer:
    """Each input is a part of the output along the axis; to pack is to join inputs of length 1."""
    axis, target, operands = _axis(graph, operator), first_output(graph, operator), _operands(graph, operator)
    copies, begin = [], 0
    for position, tensor in enumerate(operands):
        shape = tensor.shape
        if operator.name == "pack":
            shape = (*shape[:axis], 1, *shape[axis:])
        part = View.whole(target.shape).part(axis, begin, shape[axis])
        copies += make_copies(position, 0, [(View.whole(shape), part)])
        begin += shape[axis]
    return movement_layer(operator, operands, [target], copies)


_ALL = slice(None)
_ANY = (DType.INT8, DType.INT16, DType.INT32, DType.INT64, DType.FLOAT32)

SPECS = (
    OperatorSpec(
        name="concatenation",
        constraints=(
            checks.arity(1, _MOST_JOINED),
            inputs_present,
            checks.options("axis", "fused_activation_function"),
            checks.no_activation,
            element_types(*_ANY, DType.BOOL, data=_ALL),
            same_values,
            joins_to_output,
        ),
        parse=parse,
        reference=reference,
    ),
    OperatorSpec(
        name="pack",
        constraints=(
            checks.arity(1, _MOST_JOINED),
            inputs_present,
            checks.options("axis"),
            element_types(*_ANY, data=_ALL),
            packs_to_output,
        ),
        parse=parse,
        reference=reference,
    ),
)
