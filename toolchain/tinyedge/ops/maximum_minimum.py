"""maximum and minimum: element by element, on the integers as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.graph.ir import DType, Graph, Operator
from tinyedge.ops import broadcast, checks
from tinyedge.ops.broadcast import Broadcast
from tinyedge.ops.checks import first_output
from tinyedge.ops.contract import Array, Layer, OperatorSpec

_TYPES = (DType.INT8, DType.INT16, DType.INT32)


@dataclass(frozen=True, eq=False)
class Extremum:
    """Parameters: the larger of two elements, or the smaller."""

    broadcast: Broadcast
    dtype: DType
    largest: bool


def types_match(graph: Graph, operator: Operator) -> bool:
    """Inputs and output are all int8, all int16 or all int32."""
    tensors = (*broadcast.tensors_of(graph, operator), first_output(graph, operator))
    return len({tensor.dtype for tensor in tensors}) == 1 and tensors[0].dtype in _TYPES


def same_quantization(graph: Graph, operator: Operator) -> bool:
    """Inputs and output are quantized alike: same scale (within 1e-6) and zero point, or none at all."""
    tensors = (*broadcast.tensors_of(graph, operator), first_output(graph, operator))
    if all(tensor.quantization is None for tensor in tensors):
        return True
    return all(checks.per_tensor(t) for t in tensors) and broadcast.all_same_quantization(graph, operator)


def parse(graph: Graph, operator: Operator) -> Layer:
    params = Extremum(
        broadcast=broadcast.broadcast_of(graph, operator),
        dtype=first_output(graph, operator).dtype,
        largest=operator.name == "maximum",
    )
    return broadcast.make_layer(graph, operator, params)


def reference(params: Extremum, inputs: Sequence[Array]) -> tuple[Array, ...]:
    first, second = params.broadcast.operands(inputs)
    return (np.maximum(first, second) if params.largest else np.minimum(first, second),)


_CONSTRAINTS = (
    checks.arity(2, 2),
    broadcast.one_computed,
    types_match,
    same_quantization,
    broadcast.broadcasts,
)

SPECS = (
    OperatorSpec("maximum", _CONSTRAINTS, parse, reference),
    OperatorSpec("minimum", _CONSTRAINTS, parse, reference),
)
