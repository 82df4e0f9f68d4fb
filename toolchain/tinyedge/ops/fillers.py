"""broadcast_to, fill, shape, zeros_like: outputs that repeat a value or are known beforehand."""

from __future__ import annotations

import numpy as np

from tinyedge.arithmetic.axes import broadcast_shape
from tinyedge.arithmetic.movement import View, make_copies, reference
from tinyedge.graph.access import constant, first_input, first_output, input_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor
from tinyedge.ops import checks
from tinyedge.ops.checks import element_types
from tinyedge.ops.contract import Layer, OperatorSpec, movement_layer

_MOST_AXES = 5
_ANY = (DType.INT8, DType.INT16, DType.INT32, DType.INT64, DType.BOOL)


def _states_output_shape(graph: Graph, operator: Operator, position: int) -> bool:
    shape = input_tensor(graph, operator, position)
    if shape is None or not shape.is_constant or len(shape.shape) != 1:
        return False
    return tuple(constant(shape).tolist()) == first_output(graph, operator).shape


def broadcast_shape_is_stated(graph: Graph, operator: Operator) -> bool:
    """The shape is a constant of int32 or int64, that of the output, of at most five dimensions."""
    dtype = graph.tensors[operator.inputs[1]].dtype
    short = len(first_output(graph, operator).shape) <= _MOST_AXES
    return dtype in (DType.INT32, DType.INT64) and short and _states_output_shape(graph, operator, 1)


def filled_shape_is_stated(graph: Graph, operator: Operator) -> bool:
    """The dimensions are a constant of integers, those of the output."""
    dtype = graph.tensors[operator.inputs[0]].dtype
    integers = (DType.INT8, DType.INT16, DType.INT32, DType.INT64)
    return dtype in integers and _states_output_shape(graph, operator, 0)


def stretches(graph: Graph, operator: Operator) -> bool:
    """The input broadcasts to the output."""
    source, target = first_input(graph, operator).shape, first_output(graph, operator).shape
    return broadcast_shape(source, target) == target


def one_value(graph: Graph, operator: Operator) -> bool:
    """The value is a scalar, without dimensions."""
    return graph.tensors[operator.inputs[1]].shape == ()


def lists_sizes(graph: Graph, operator: Operator) -> bool:
    """The output is int32 with one number for each dimension of the input."""
    target = first_output(graph, operator)
    return target.dtype is DType.INT32 and target.shape == (len(first_input(graph, operator).shape),)


def same_shape(graph: Graph, operator: Operator) -> bool:
    """Input and output have the same shape."""
    return first_input(graph, operator).shape == first_output(graph, operator).shape


def _repeat(operator: Operator, source: Tensor, target: Tensor) -> Layer:
    view = View.whole(source.shape).repeated(target.shape)
    return movement_layer(operator, [source], [target], make_copies(0, 0, [(view, View.whole(target.shape))]))


def _known(operator: Operator, target: Tensor, values: Array) -> Layer:
    """A layer that reads nothing at run time: its output is repeated from, or simply is, a constant."""
    data = np.asarray(values, target.dtype.numpy)
    return _repeat(operator, Tensor(-1, "values", data.shape, target.dtype, data=data), target)


def parse_broadcast_to(graph: Graph, operator: Operator) -> Layer:
    return _repeat(operator, first_input(graph, operator), first_output(graph, operator))


def parse_fill(graph: Graph, operator: Operator) -> Layer:
    return _repeat(operator, graph.tensors[operator.inputs[1]], first_output(graph, operator))


def parse_shape(graph: Graph, operator: Operator) -> Layer:
    sizes = np.array(first_input(graph, operator).shape)
    return _known(operator, first_output(graph, operator), sizes)


def parse_zeros_like(graph: Graph, operator: Operator) -> Layer:
    return _known(operator, first_output(graph, operator), np.zeros(()))


SPECS = (
    OperatorSpec(
        name="broadcast_to",
        constraints=(checks.arity(2, 2), element_types(*_ANY), broadcast_shape_is_stated, stretches),
        parse=parse_broadcast_to,
        reference=reference,
    ),
    OperatorSpec(
        name="fill",
        constraints=(
            checks.arity(2, 2),
            element_types(DType.INT8, DType.INT32, data=slice(1, 2)),
            filled_shape_is_stated,
            one_value,
        ),
        parse=parse_fill,
        reference=reference,
    ),
    OperatorSpec("shape", (checks.arity(1, 1), lists_sizes), parse_shape, reference),
    OperatorSpec(
        name="zeros_like",
        constraints=(checks.arity(1, 1), element_types(DType.INT8, DType.INT32, DType.INT64), same_shape),
        parse=parse_zeros_like,
        reference=reference,
    ),
)
