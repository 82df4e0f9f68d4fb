"""split, split_v, unpack: one tensor cut along an axis into several."""

from __future__ import annotations

from tinyedge.arithmetic.movement import View, make_copies, reference
from tinyedge.graph.access import constant, input_tensor
from tinyedge.graph.ir import DType, Graph, Operator, Tensor
from tinyedge.ops.checks import element_types
from tinyedge.ops.contract import Constraint, Layer, OperatorSpec, movement_layer

_DATA = {"split": 1, "split_v": 0, "unpack": 0}
"""position of the input that is cut"""
_AXIS = {"split": 0, "split_v": 2}
"""position of the input that names the axis; unpack has an option"""


def _source(graph: Graph, operator: Operator) -> Tensor:
    return graph.tensors[operator.inputs[_DATA[operator.name]]]


def _targets(graph: Graph, operator: Operator) -> list[Tensor]:
    return [graph.tensors[key] for key in operator.outputs]


def _axis(graph: Graph, operator: Operator) -> int | None:
    """The axis counted from the front; None when it is not known or does not exist."""
    if operator.name in _AXIS:
        tensor = input_tensor(graph, operator, _AXIS[operator.name])
        if tensor is None or not tensor.is_constant or tensor.dtype is not DType.INT32 or tensor.elements != 1:
            return None
        axis = int(constant(tensor).reshape(-1)[0])
    else:
        axis = int(operator.options["axis"])
    rank = len(_source(graph, operator).shape)
    return axis % rank if rank and -rank <= axis < rank else None


def _operand_count(count: int) -> Constraint:
    def check(graph: Graph, operator: Operator) -> bool:
        return len(operator.inputs) == count and all(key >= 0 for key in operator.inputs)

    check.__doc__ = f"It has {count} input{'s' if count > 1 else ''}, all of them given."
    return check


def axis_option(graph: Graph, operator: Operator) -> bool:
    """The file states its options (axis), if there are any to state."""
    return operator.name in _AXIS or "axis" in operator.options


def known_axis(graph: Graph, operator: Operator) -> bool:
    """The axis exists; if it is an input, it is a constant of int32."""
    return _axis(graph, operator) is not None


def sizes_agree(graph: Graph, operator: Operator) -> bool:
    """The sizes of split_v, if they are constants, are those of the outputs."""
    axis, sizes = _axis(graph, operator), input_tensor(graph, operator, 1)
    if operator.name != "split_v" or sizes is None or not sizes.is_constant:
        return True
    if axis is None or sizes.elements != len(operator.outputs):
        return False
    lengths = [tensor.shape[axis] if axis < len(tensor.shape) else 0 for tensor in _targets(graph, operator)]
    stated = constant(sizes).reshape(-1).tolist()
    return all(given in (length, -1) for given, length in zip(stated, lengths, strict=True))


def outputs_add_up(graph: Graph, operator: Operator) -> bool:
    """The outputs, put together along the axis, are the input (split: in equal shares; unpack: without the axis)."""
    shape, axis = _source(graph, operator).shape, _axis(graph, operator)
    if axis is None:
        return False
    around = (*shape[:axis], *shape[axis + 1 :])
    shapes = [tensor.shape for tensor in _targets(graph, operator)]
    if operator.name == "unpack":
        return len(shapes) == shape[axis] and all(each == around for each in shapes)
    if operator.name == "split" and len(set(shapes)) > 1:
        return False
    if any(len(each) != len(shape) or (*each[:axis], *each[axis + 1 :]) != around for each in shapes):
        return False
    return sum(each[axis] for each in shapes) == shape[axis]


def parse(graph: Graph, operator: Operator) -> Layer:
    source, axis = _source(graph, operator), _axis(graph, operator)
    assert axis is not None
    whole, copies, begin = View.whole(source.shape), [], 0
    targets = _targets(graph, operator)
    for position, tensor in enumerate(targets):
        shape = tensor.shape
        if operator.name == "unpack":
            shape = (*shape[:axis], 1, *shape[axis:])
        copies += make_copies(0, position, [(whole.part(axis, begin, shape[axis]), View.whole(shape))])
        begin += shape[axis]
    return movement_layer(operator, [source], targets, copies)


def _spec(name: str, operands: int) -> OperatorSpec:
    data = slice(_DATA[name], _DATA[name] + 1)
    constraints = (
        _operand_count(operands),
        axis_option,
        element_types(DType.INT8, DType.INT16, DType.INT32, DType.FLOAT32, data=data),
        known_axis,
        sizes_agree,
        outputs_add_up,
    )
    return OperatorSpec(name, constraints, parse, reference)


SPECS = (_spec("split", 2), _spec("split_v", 3), _spec("unpack", 1))
