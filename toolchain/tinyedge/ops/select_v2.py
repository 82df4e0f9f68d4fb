"""select_v2: for each element one of two, as a condition says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic import broadcast
from tinyedge.arithmetic.broadcast import Broadcast
from tinyedge.graph.access import all_inputs, first_output, per_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Constraint, Layer, OperatorSpec, make_layer


@dataclass(frozen=True, eq=False)
class Select:
    """Parameters: the operands are the condition, what stands where it is true, and what stands elsewhere."""

    broadcast: Broadcast
    dtype: DType


def types_match(graph: Graph, operator: Operator) -> bool:
    """The first input is bool, the others and the output are all int8 or all int16, with the same scale (within 1e-6)
    and zero point."""
    condition, *choices = all_inputs(graph, operator)
    target = first_output(graph, operator)
    if condition.dtype is not DType.BOOL or target.dtype not in (DType.INT8, DType.INT16):
        return False
    if any(t.dtype is not target.dtype or not per_tensor(t) for t in (*choices, target)):
        return False
    return all(abs(t.scale - target.scale) <= 1e-6 and t.zero_point == target.zero_point for t in choices)


def floats(graph: Graph, operator: Operator) -> bool:
    """The first input is bool, the others and the output are all float32, in a model that is quantized otherwise."""
    condition, *choices = all_inputs(graph, operator)
    real = all(tensor.dtype is DType.FLOAT32 for tensor in (*choices, first_output(graph, operator)))
    return condition.dtype is DType.BOOL and real


def parse(graph: Graph, operator: Operator) -> Layer:
    params = Select(broadcast.broadcast_of(graph, operator), first_output(graph, operator).dtype)
    return make_layer(operator, params, all_inputs(graph, operator), [first_output(graph, operator)])


def reference(params: Select, inputs: Sequence[Array]) -> tuple[Array, ...]:
    condition, first, second = params.broadcast.operands(inputs)
    return (np.where(condition, first, second),)


def _spec(name: str, types: Constraint) -> OperatorSpec:
    return OperatorSpec(name, (checks.arity(3, 3), shapes.one_computed, types, shapes.broadcasts), parse, reference)


SPECS = (_spec("select_v2", types_match), _spec("select_v2_f32", floats))
"""the second is what the pass `compute_floats` makes of one in float32"""
