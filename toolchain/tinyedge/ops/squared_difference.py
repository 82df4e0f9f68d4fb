"""squared_difference: element by element, in int8 or int16."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyedge.arithmetic import broadcast
from tinyedge.arithmetic.broadcast import Broadcast, Scaled
from tinyedge.arithmetic.quantization import quantize_multiplier, requantize
from tinyedge.graph.access import all_inputs, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor, integer_range
from tinyedge.ops import checks
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Layer, OperatorSpec, make_layer

_LEFT_SHIFTS = {DType.INT8: 7, DType.INT16: 0}


@dataclass(frozen=True, eq=False)
class SquaredDifference:
    """Parameters: the square of the difference of the scaled operands, rescaled to the output."""

    broadcast: Broadcast
    dtype: DType
    left_shift: int
    operands: tuple[Scaled, Scaled]
    output_zero_point: int
    output_multiplier: int
    output_shift: int


def _factors(first: Tensor, second: Tensor, target: Tensor) -> tuple[float, float, float]:
    """Real factors of the operands and of the output."""
    largest = 2 * max(first.scale, second.scale)
    squares = 1 << (2 * _LEFT_SHIFTS[target.dtype])
    return first.scale / largest, second.scale / largest, largest * largest / (squares * target.scale)


def scales_fit(graph: Graph, operator: Operator) -> bool:
    """The input scales are within 2**30 of each other, and the square of the larger one is less than 2**42 times
    (int16: 2**28 times) the output scale."""
    first, second = all_inputs(graph, operator)
    *inputs, output = _factors(first, second, first_output(graph, operator))
    return all(factor >= 2.0**-31 for factor in inputs) and checks.scalable(output)


def parse(graph: Graph, operator: Operator) -> Layer:
    first, second = all_inputs(graph, operator)
    target = first_output(graph, operator)
    factor1, factor2, output_factor = _factors(first, second, target)
    multiplier, shift = quantize_multiplier(output_factor)
    params = SquaredDifference(
        broadcast=broadcast.broadcast_of(graph, operator),
        dtype=target.dtype,
        left_shift=_LEFT_SHIFTS[target.dtype],
        operands=(broadcast.scaled(first, factor1), broadcast.scaled(second, factor2)),
        output_zero_point=target.zero_point,
        output_multiplier=multiplier,
        output_shift=shift,
    )
    return make_layer(operator, params, all_inputs(graph, operator), [first_output(graph, operator)])


def reference(params: SquaredDifference, inputs: Sequence[Array]) -> tuple[Array, ...]:
    pairs = zip(params.operands, params.broadcast.operands(inputs), strict=True)
    first, second = (operand.of(values, params.left_shift) for operand, values in pairs)
    low, high = integer_range(params.dtype)
    square = (first - second) ** 2
    output = requantize(square, params.output_multiplier, params.output_shift, params.output_zero_point, low, high)
    return (output.astype(params.dtype.numpy),)


SPECS = (
    OperatorSpec(
        name="squared_difference",
        constraints=(
            checks.arity(2, 2),
            shapes.one_computed,
            shapes.same_types(DType.INT8, DType.INT16),
            shapes.broadcasts,
            scales_fit,
        ),
        parse=parse,
        reference=reference,
    ),
)
