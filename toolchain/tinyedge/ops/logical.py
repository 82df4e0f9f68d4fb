"""logical_and, logical_or, logical_not on bool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic import broadcast
from tinyedge.arithmetic.broadcast import Broadcast
from tinyedge.graph.access import all_inputs, first_input, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Layer, OperatorSpec, make_layer


@dataclass(frozen=True, eq=False)
class Logical:
    """Parameters of logical_and and logical_or, which `both` tells apart."""

    broadcast: Broadcast
    both: bool


@dataclass(frozen=True)
class LogicalNot:
    """Parameters of logical_not."""

    elements: int


def all_bool(graph: Graph, operator: Operator) -> bool:
    """Inputs and output are bool."""
    tensors = (*all_inputs(graph, operator), first_output(graph, operator))
    return all(tensor.dtype is DType.BOOL for tensor in tensors)


def parse(graph: Graph, operator: Operator) -> Layer:
    params = Logical(broadcast.broadcast_of(graph, operator), both=operator.name == "logical_and")
    return make_layer(operator, params, all_inputs(graph, operator), [first_output(graph, operator)])


def parse_not(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    return Layer(operator, LogicalNot(source.elements), (source,), (target,), macs=0)


def reference(params: Logical, inputs: Sequence[Array]) -> tuple[Array, ...]:
    first, second = params.broadcast.operands(inputs)
    return (np.logical_and(first, second) if params.both else np.logical_or(first, second),)


def reference_not(params: LogicalNot, inputs: Sequence[Array]) -> tuple[Array, ...]:
    return (np.logical_not(inputs[0]),)


_CONSTRAINTS = (checks.arity(2, 2), shapes.one_computed, all_bool, shapes.broadcasts)

SPECS = (
    OperatorSpec("logical_and", _CONSTRAINTS, parse, reference),
    OperatorSpec("logical_or", _CONSTRAINTS, parse, reference),
    OperatorSpec(
        "logical_not",
        (checks.arity(1, 1), checks.computed_input, all_bool, checks.same_shape),
        parse_not,
        reference_not,
    ),
)
