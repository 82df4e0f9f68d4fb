"""maximum and minimum: element by element, on the integers as they are."""

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
from tinyedge.ops.contract import Layer, OperatorSpec, make_layer

_TYPES = (DType.INT8, DType.INT16, DType.INT32)


@dataclass(frozen=True, eq=False)
class Extremum:
    """Parameters: the larger of two elements, or the smaller."""

    broadcast: Broadcast
    dtype: DType
    largest: bool


def types_match(graph: Graph, operator: Operator) -> bool:
    """Inputs and output are all int8, all int16 or all int32."""
    tensors = (*all_inputs(graph, operator), first_output(graph, operator))
    return len({tensor.dtype for tensor in tensors}) == 1 and tensors[0].dtype in _TYPES


def same_quantization(graph: Graph, operator: Operator) -> bool:
    """Inputs and output are quantized alike: same scale (within 1e-6) and zero point, or none at all."""
    tensors = (*all_inputs(graph, operator), first_output(graph, operator))
    if all(tensor.quantization is None for tensor in tensors):
        return True
    return all(per_tensor(t) for t in tensors) and shapes.all_same_quantization(graph, operator)


def parse(graph: Graph, operator: Operator) -> Layer:
    params = Extremum(
        broadcast=broadcast.broadcast_of(graph, operator),
        dtype=first_output(graph, operator).dtype,
        largest=operator.name == "maximum",
    )
    return make_layer(operator, params, all_inputs(graph, operator), [first_output(graph, operator)])


def reference(params: Extremum, inputs: Sequence[Array]) -> tuple[Array, ...]:
    first, second = params.broadcast.operands(inputs)
    return (np.maximum(first, second) if params.largest else np.minimum(first, second),)


_CONSTRAINTS = (
    checks.arity(2, 2),
    shapes.one_computed,
    types_match,
    same_quantization,
    shapes.broadcasts,
)

SPECS = (
    OperatorSpec("maximum", _CONSTRAINTS, parse, reference),
    OperatorSpec("minimum", _CONSTRAINTS, parse, reference),
)
