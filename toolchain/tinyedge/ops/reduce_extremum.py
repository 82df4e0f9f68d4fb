"""reduce_max and reduce_min over some axes, int8."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyedge.arithmetic import axes
from tinyedge.graph.access import first_input, first_output
from tinyedge.graph.ir import Array, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Layer, OperatorSpec


@dataclass(frozen=True)
class ReduceExtremum:
    """Parameters: `shape` of the input (rank as in the file), `axes` sorted and non-negative; the largest, or the
    smallest along them."""

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    largest: bool


def identical_quantization(graph: Graph, operator: Operator) -> bool:
    """Input and output have exactly the same scale and zero point."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    return source.scale == target.scale and source.zero_point == target.zero_point


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    resolved = axes.axes_of(graph, operator)
    assert resolved is not None
    params = ReduceExtremum(source.shape, resolved, operator.name == "reduce_max")
    return Layer(operator, params, (source,), (target,), macs=0)


def reference(params: ReduceExtremum, inputs: Sequence[Array]) -> tuple[Array, ...]:
    values = inputs[0].reshape(params.shape)
    return (values.max(axis=params.axes) if params.largest else values.min(axis=params.axes),)


_CONSTRAINTS = (
    checks.arity(2, 2),
    checks.options("keep_dims"),
    checks.computed_input,
    checks.int8_in_and_out,
    identical_quantization,
    shapes.constant_axes,
    shapes.reduces_to_output,
)

SPECS = (
    OperatorSpec("reduce_max", _CONSTRAINTS, parse, reference),
    OperatorSpec("reduce_min", _CONSTRAINTS, parse, reference),
)
