"""Constraints of operators that broadcast their operands, and of those that reduce over axes."""

from __future__ import annotations

import numpy as np

from tinyedge.arithmetic.axes import axes_of, broadcast_shape, reduced_shape
from tinyedge.graph.access import all_inputs, first_input, first_output, input_tensor, per_tensor
from tinyedge.graph.ir import DType, Graph, Operator
from tinyedge.ops.contract import Constraint

# -- operands that broadcast -----------------------------------------------------------------------------------------


def one_computed(graph: Graph, operator: Operator) -> bool:
    """At least one of its inputs is computed by the model."""
    return not all(tensor.is_constant for tensor in all_inputs(graph, operator))


def broadcasts(graph: Graph, operator: Operator) -> bool:
    """The shapes of its inputs broadcast to the shape of the output, which has at most six dimensions."""
    shape = first_output(graph, operator).shape
    try:
        return len(shape) <= 6 and np.broadcast_shapes(*(t.shape for t in all_inputs(graph, operator))) == shape
    except ValueError:
        return False


def same_types(*dtypes: DType) -> Constraint:
    """A constraint: inputs and output are all of one of these types, quantized with one scale each."""

    def check(graph: Graph, operator: Operator) -> bool:
        tensors = (*all_inputs(graph, operator), first_output(graph, operator))
        if len({tensor.dtype for tensor in tensors}) != 1 or tensors[0].dtype not in dtypes:
            return False
        symmetric = tensors[0].dtype is DType.INT16
        return all(per_tensor(t) and not (symmetric and t.zero_point) for t in tensors)

    names = " or all ".join(dtype.value for dtype in dtypes)
    zero = " (0 for int16)" if DType.INT16 in dtypes else ""
    check.__doc__ = f"Inputs and output are all {names}, each with one scale and zero point{zero}."
    return check


def all_same_quantization(graph: Graph, operator: Operator) -> bool:
    """Its inputs and its output have the same scale (within 1e-6) and zero point."""
    target = first_output(graph, operator)
    return all(
        abs(tensor.scale - target.scale) <= 1e-6 and tensor.zero_point == target.zero_point
        for tensor in all_inputs(graph, operator)
    )


# -- axes -------------------------------------------------------------------------------------------------------------


def constant_axes(graph: Graph, operator: Operator) -> bool:
    """The axes are a constant of int32, at least one, each an axis of the input."""
    axes = input_tensor(graph, operator, 1)
    if axes is None or not axes.is_constant or axes.dtype is not DType.INT32 or axes.elements == 0:
        return False
    return axes_of(graph, operator) is not None


def reduces_to_output(graph: Graph, operator: Operator) -> bool:
    """The output has the shape that remains without the axes (or with 1 in their place, when keep_dims is set)."""
    axes = axes_of(graph, operator)
    shape = first_input(graph, operator).shape
    return axes is not None and first_output(graph, operator).shape == reduced_shape(
        shape, axes, bool(operator.options["keep_dims"])
    )


def broadcasts_to_output(graph: Graph, operator: Operator) -> bool:
    """The shapes of the two inputs broadcast to the shape of the output, which has at most six dimensions."""
    first, second = (graph.tensors[key].shape for key in operator.inputs[:2])
    shape = first_output(graph, operator).shape
    return len(shape) <= 6 and broadcast_shape(first, second) == shape
