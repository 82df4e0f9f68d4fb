"""equal, not_equal, greater, greater_equal, less, less_equal: int8 on a common scale, int32 and bool as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic import broadcast
from tinyedge.arithmetic.broadcast import Broadcast, Scaled
from tinyedge.graph.access import all_inputs, first_output, per_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Layer, OperatorSpec, make_layer

_LEFT_SHIFT = 8
_ORDERS = {
    "equal": (False, True, False),
    "not_equal": (True, False, True),
    "greater": (False, False, True),
    "greater_equal": (False, True, True),
    "less": (True, False, False),
    "less_equal": (True, True, False),
}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Parameters: the result when the first operand is less than, equal to, and greater than the second.

    operands  how int8 comes to a common scale (of 2**-`left_shift`, so values nearer than that are equal); None for
              int32 and bool
    """

    broadcast: Broadcast
    dtype: DType
    left_shift: int
    operands: tuple[Scaled, Scaled] | None
    when_less: bool
    when_equal: bool
    when_greater: bool


def types_match(graph: Graph, operator: Operator) -> bool:
    """Its inputs are both int8 (each with one scale and zero point), both int32, or, for equal and not_equal, both
    bool; its output is bool."""
    first, second = all_inputs(graph, operator)
    if first.dtype is not second.dtype or first_output(graph, operator).dtype is not DType.BOOL:
        return False
    if first.dtype is DType.INT8:
        return per_tensor(first) and per_tensor(second)
    return first.dtype is DType.INT32 or (first.dtype is DType.BOOL and operator.name in ("equal", "not_equal"))


def scales_fit(graph: Graph, operator: Operator) -> bool:
    """The scales of int8 inputs are less than 1."""
    first, second = all_inputs(graph, operator)
    return first.dtype is not DType.INT8 or (first.scale < 1 and second.scale < 1)


def parse(graph: Graph, operator: Operator) -> Layer:
    first, second = all_inputs(graph, operator)
    operands = None
    if first.dtype is DType.INT8:
        operands = broadcast.scaled(first, first.scale), broadcast.scaled(second, second.scale)
    params = Comparison(
        broadcast.broadcast_of(graph, operator), first.dtype, _LEFT_SHIFT, operands, *_ORDERS[operator.name]
    )
    return make_layer(operator, params, all_inputs(graph, operator), [first_output(graph, operator)])


def reference(params: Comparison, inputs: Sequence[Array]) -> tuple[Array, ...]:
    first, second = params.broadcast.operands(inputs)
    if params.operands is not None:
        first = params.operands[0].of(first, params.left_shift)
        second = params.operands[1].of(second, params.left_shift)
    unequal = np.where(first < second, params.when_less, params.when_greater)
    return (np.where(first == second, params.when_equal, unequal),)


SPECS = tuple(
    OperatorSpec(
        name,
        (checks.arity(2, 2), shapes.one_computed, types_match, shapes.broadcasts, scales_fit),
        parse,
        reference,
    )
    for name in _ORDERS
)
