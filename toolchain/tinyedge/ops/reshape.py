"""reshape, squeeze, expand_dims: the same bytes under another shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyedge.graph.access import first_input, first_output, input_tensor
from tinyedge.graph.ir import Array, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.contract import Constraint, Layer, OperatorSpec


@dataclass(frozen=True)
class Reshape:
    """Parameters: how many bytes there are to copy, if the planner cannot let input and output share memory."""

    bytes: int


def same_elements(graph: Graph, operator: Operator) -> bool:
    """Input and output have the same type and the same number of elements."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    return source.dtype is target.dtype and source.elements == target.elements


def constant_axis(graph: Graph, operator: Operator) -> bool:
    """The new axis is a constant."""
    axis = input_tensor(graph, operator, 1)
    return axis is not None and axis.is_constant


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    return Layer(operator, Reshape(source.bytes), (source,), (target,), macs=0)


def reference(params: Reshape, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """The values as they are; the shape is that of the output tensor."""
    return (inputs[0],)


def _spec(name: str, smallest: int, largest: int, *more: Constraint) -> OperatorSpec:
    constraints = (checks.arity(smallest, largest), checks.computed_input, *more, same_elements)
    return OperatorSpec(name, constraints, parse, reference)


SPECS = (_spec("reshape", 1, 2), _spec("squeeze", 1, 1), _spec("expand_dims", 2, 2, constant_axis))
"""a reshape has the shape that the file gives its output, so it may read one that is computed"""
