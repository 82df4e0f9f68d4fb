"""cast: integers as they are, cut to the bits of the output; quantization plays no part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyedge.graph.access import first_input, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.contract import Layer, OperatorSpec

_INTEGERS = (DType.INT8, DType.INT16, DType.INT32, DType.UINT32)


@dataclass(frozen=True)
class Cast:
    """Parameters. bool counts as 0 and 1."""

    elements: int
    input_dtype: DType
    output_dtype: DType


def cast_types(graph: Graph, operator: Operator) -> bool:
    """It goes from int8, int16, int32, uint32 or bool to int8, int16, int32 or uint32."""
    source, target = first_input(graph, operator).dtype, first_output(graph, operator).dtype
    return source in (*_INTEGERS, DType.BOOL) and target in _INTEGERS


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    return Layer(operator, Cast(source.elements, source.dtype, target.dtype), (source,), (target,), macs=0)


def reference(params: Cast, inputs: Sequence[Array]) -> tuple[Array, ...]:
    return (inputs[0].astype(params.output_dtype.numpy),)


SPECS = (
    OperatorSpec(
        name="cast",
        constraints=(checks.arity(1, 1), checks.computed_input, cast_types, checks.same_shape),
        parse=parse,
        reference=reference,
    ),
)
