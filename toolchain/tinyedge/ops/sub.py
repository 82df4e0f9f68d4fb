"""sub: element-wise difference; and add in int16, which has the same arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyedge.arithmetic import broadcast
from tinyedge.arithmetic.broadcast import Broadcast, Scaled
from tinyedge.arithmetic.quantization import activation_range, quantize_multiplier, requantize
from tinyedge.graph.access import all_inputs, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor
from tinyedge.ops import checks, whole_numbers
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Layer, OperatorSpec, make_layer
from tinyedge.ops.whole_numbers import WholeNumbers

_LEFT_SHIFTS = {DType.INT8: 20, DType.INT16: 15}


@dataclass(frozen=True, eq=False)
class Sum:
    """Parameters: the sum of the scaled operands, or their difference, rescaled to the output.

    subtract  the second operand counts negatively
    """

    broadcast: Broadcast
    dtype: DType
    subtract: bool
    left_shift: int
    operands: tuple[Scaled, Scaled]
    output_zero_point: int
    output_multiplier: int
    output_shift: int
    activation_min: int
    activation_max: int


def _factors(first: Tensor, second: Tensor, target: Tensor) -> tuple[float, float, float]:
    """Real factors of the operands and of the output, in double precision."""
    largest = 2 * max(first.scale, second.scale)
    return first.scale / largest, second.scale / largest, largest / ((1 << _LEFT_SHIFTS[target.dtype]) * target.scale)


def scales_fit(graph: Graph, operator: Operator) -> bool:
    """The input scales are within 2**30 of each other; twice the larger one is less than 2**20 (int16: 2**15) times the
    output scale."""
    first, second = all_inputs(graph, operator)
    *inputs, output = _factors(first, second, first_output(graph, operator))
    return (
        all(2.0**-31 <= factor <= 0.5 for factor in inputs) and 0 < output < 1 and quantize_multiplier(output)[1] <= 0
    )


def parse(graph: Graph, operator: Operator) -> Layer:
    if whole_numbers.is_whole(graph, operator):
        return whole_numbers.parse(graph, operator)
    first, second = all_inputs(graph, operator)
    target = first_output(graph, operator)
    factor1, factor2, output_factor = _factors(first, second, target)
    multiplier, shift = quantize_multiplier(output_factor)
    low, high = activation_range(
        operator.options["fused_activation_function"], target.dtype, target.scale, target.zero_point
    )
    params = Sum(
        broadcast=broadcast.broadcast_of(graph, operator),
        dtype=target.dtype,
        subtract=True,
        left_shift=_LEFT_SHIFTS[target.dtype],
        operands=(broadcast.scaled(first, factor1), broadcast.scaled(second, factor2)),
        output_zero_point=target.zero_point,
        output_multiplier=multiplier,
        output_shift=shift,
        activation_min=low,
        activation_max=high,
    )
    return make_layer(operator, params, all_inputs(graph, operator), [first_output(graph, operator)])


def reference(params: Sum | WholeNumbers, inputs: Sequence[Array]) -> tuple[Array, ...]:
    if isinstance(params, WholeNumbers):
        return whole_numbers.reference(params, inputs)
    pairs = zip(params.operands, params.broadcast.operands(inputs), strict=True)
    first, second = (operand.of(values, params.left_shift) for operand, values in pairs)
    output = requantize(
        first - second if params.subtract else first + second,
        params.output_multiplier,
        params.output_shift,
        params.output_zero_point,
        params.activation_min,
        params.activation_max,
    )
    return (output.astype(params.dtype.numpy),)


SPECS = (
    OperatorSpec(
        name="sub",
        constraints=(
            checks.arity(2, 2),
            checks.options("fused_activation_function"),
            shapes.one_computed,
            whole_numbers.quantized_or_whole,
            checks.known_activation,
            shapes.broadcasts,
            whole_numbers.or_whole(scales_fit),
        ),
        parse=parse,
        reference=reference,
    ),
)
