"""transpose: the axes of a tensor in another order."""

from __future__ import annotations

from tinyedge.arithmetic.movement import View, make_copies, reference
from tinyedge.graph.access import constant, first_input, first_output, input_tensor
from tinyedge.graph.ir import DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.checks import element_types
from tinyedge.ops.contract import Layer, OperatorSpec, movement_layer

_MOST_AXES = 5


def _order(graph: Graph, operator: Operator) -> list[int]:
    return [int(axis) for axis in constant(graph.tensors[operator.inputs[1]]).reshape(-1)]


def constant_order(graph: Graph, operator: Operator) -> bool:
    """The order is a constant of int32 that names each of one to five axes once, counted from the front."""
    order = input_tensor(graph, operator, 1)
    rank = len(first_input(graph, operator).shape)
    if order is None or not order.is_constant or order.dtype is not DType.INT32 or len(order.shape) != 1:
        return False
    return 1 <= rank <= _MOST_AXES and sorted(_order(graph, operator)) == list(range(rank))


def permutes_to_output(graph: Graph, operator: Operator) -> bool:
    """The output has the axes of the input in that order."""
    shape = first_input(graph, operator).shape
    return first_output(graph, operator).shape == tuple(shape[axis] for axis in _order(graph, operator))


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    view = View.whole(source.shape).permuted(_order(graph, operator))
    return movement_layer(operator, [source], [target], make_copies(0, 0, [(view, View.whole(target.shape))]))


SPECS = (
    OperatorSpec(
        name="transpose",
        constraints=(
            checks.arity(2, 2),
            element_types(DType.INT8, DType.INT16, DType.FLOAT32),
            constant_order,
            permutes_to_output,
        ),
        parse=parse,
        reference=reference,
    ),
)
