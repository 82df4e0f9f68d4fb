"""arg_max and arg_min: int8 in, the first index of the largest or smallest along one axis out, as int32."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic import axes
from tinyedge.graph.access import first_input, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Layer, OperatorSpec


@dataclass(frozen=True)
class ArgExtremum:
    """Parameters: the input seen as [outer, size, inner], of which `size` is the axis."""

    outer: int
    size: int
    inner: int
    largest: bool


def int8_to_int32(graph: Graph, operator: Operator) -> bool:
    """Its input is int8, its output int32."""
    return first_input(graph, operator).dtype is DType.INT8 and first_output(graph, operator).dtype is DType.INT32


def one_axis(graph: Graph, operator: Operator) -> bool:
    """The axis is a single one."""
    return graph.tensors[operator.inputs[1]].elements == 1


def shape_without_axis(graph: Graph, operator: Operator) -> bool:
    """The output has the shape that remains without the axis."""
    resolved = axes.axes_of(graph, operator)
    shape = first_input(graph, operator).shape
    return resolved is not None and first_output(graph, operator).shape == axes.reduced_shape(shape, resolved, False)


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    resolved = axes.axes_of(graph, operator)
    assert resolved is not None
    (axis,) = resolved
    params = ArgExtremum(
        outer=math.prod(source.shape[:axis]),
        size=source.shape[axis],
        inner=math.prod(source.shape[axis + 1 :]),
        largest=operator.name == "arg_max",
    )
    return Layer(operator, params, (source,), (target,), macs=0)


def reference(params: ArgExtremum, inputs: Sequence[Array]) -> tuple[Array, ...]:
    values = inputs[0].reshape(params.outer, params.size, params.inner)
    found = values.argmax(axis=1) if params.largest else values.argmin(axis=1)
    return (found.astype(np.int32),)


_CONSTRAINTS = (
    checks.arity(2, 2),
    checks.computed_input,
    int8_to_int32,
    shapes.constant_axes,
    one_axis,
    shape_without_axis,
)

SPECS = (
    OperatorSpec("arg_max", _CONSTRAINTS, parse, reference),
    OperatorSpec("arg_min", _CONSTRAINTS, parse, reference),
)
