"""add, sub, mul and div of int32: what counters and indices are computed with. Results leave int32 by wrapping around.

Quotients are cut towards zero. TensorFlow Lite Micro ends at a divisor of zero; here the quotient is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from tinyedge.arithmetic import broadcast
from tinyedge.arithmetic.broadcast import Broadcast
from tinyedge.arithmetic.quantization import wrap_int32
from tinyedge.graph.access import all_inputs, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Constraint, Layer, make_layer


def _quotient(first: Array, second: Array) -> Array:
    magnitude = np.abs(first) // np.maximum(np.abs(second), 1)
    return np.where(second == 0, 0, np.where((first < 0) != (second < 0), -magnitude, magnitude))


_FUNCTIONS: Mapping[str, Callable[[Array, Array], Array]] = MappingProxyType(
    {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": _quotient}
)
_QUANTIZED = shapes.same_types(DType.INT8, DType.INT16)
_INT8 = shapes.same_types(DType.INT8)


@dataclass(frozen=True, eq=False)
class WholeNumbers:
    """Parameters: add, sub, mul or div of operands in their order."""

    broadcast: Broadcast
    function: str


def is_whole(graph: Graph, operator: Operator) -> bool:
    """Whether an operator computes in int32."""
    return first_output(graph, operator).dtype is DType.INT32


def quantized_or_whole(graph: Graph, operator: Operator) -> bool:
    """Inputs and output are all int8 or all int16, each with one scale and zero point (0 for int16), or all int32,
    without scales and without a fused activation."""
    return _plain(graph, operator) if is_whole(graph, operator) else _QUANTIZED(graph, operator)


def int8_or_whole(graph: Graph, operator: Operator) -> bool:
    """Inputs and output are all int8, each with one scale and zero point, or all int32, without scales and without a
    fused activation."""
    return _plain(graph, operator) if is_whole(graph, operator) else _INT8(graph, operator)


def _plain(graph: Graph, operator: Operator) -> bool:
    tensors = (*all_inputs(graph, operator), first_output(graph, operator))
    plain = all(tensor.dtype is DType.INT32 and tensor.quantization is None for tensor in tensors)
    return plain and operator.options["fused_activation_function"] == "none"


def or_whole(rule: Constraint) -> Constraint:
    """A rule about scales, which int32 has none of."""

    def check(graph: Graph, operator: Operator) -> bool:
        return is_whole(graph, operator) or rule(graph, operator)

    check.__doc__ = rule.__doc__
    return check


def parse(graph: Graph, operator: Operator) -> Layer:
    params = WholeNumbers(broadcast.broadcast_of(graph, operator), operator.name)
    return make_layer(operator, params, all_inputs(graph, operator), [first_output(graph, operator)])


def reference(params: WholeNumbers, inputs: Sequence[Array]) -> tuple[Array, ...]:
    first, second = (values.astype(np.int64) for values in params.broadcast.operands(inputs))
    return (wrap_int32(_FUNCTIONS[params.function](first, second)).astype(np.int32),)
