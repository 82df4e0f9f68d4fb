"""div: element-wise quotient of two int8 tensors, by the reciprocal in fixed point, or of two int32 tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic import broadcast
from tinyedge.arithmetic.broadcast import Broadcast
from tinyedge.arithmetic.fixed_point import one_over_one_plus
from tinyedge.arithmetic.quantization import (
    activation_range,
    quantize_multiplier,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
)
from tinyedge.graph.access import all_inputs, first_output
from tinyedge.graph.ir import Array, Graph, Operator
from tinyedge.ops import checks, whole_numbers
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Layer, OperatorSpec, make_layer
from tinyedge.ops.whole_numbers import WholeNumbers


@dataclass(frozen=True, eq=False)
class Div:
    """Parameters: the quotient of the two differences to their zero points, rescaled to the output.

    TensorFlow Lite Micro leaves two cases undefined, and gives any value there: a divisor of zero, which here counts
    as the smallest positive number would (the quotient saturates, 0/0 is 0), and quotients so small that it shifts by
    more than 31 bits, which here are 0.
    """

    broadcast: Broadcast
    zero_points: tuple[int, int]
    output_zero_point: int
    multiplier: int
    shift: int
    activation_min: int
    activation_max: int


def _factor(graph: Graph, operator: Operator) -> float:
    """Real factor of the quotient."""
    first, second = all_inputs(graph, operator)
    return first.scale / (second.scale * first_output(graph, operator).scale)


def scales_fit(graph: Graph, operator: Operator) -> bool:
    """The first input scale is less than 2**21 times the product of the second and the output scale."""
    return 0 <= _factor(graph, operator) < 1 << 21


def parse(graph: Graph, operator: Operator) -> Layer:
    if whole_numbers.is_whole(graph, operator):
        return whole_numbers.parse(graph, operator)
    first, second = all_inputs(graph, operator)
    target = first_output(graph, operator)
    multiplier, shift = quantize_multiplier(_factor(graph, operator))
    low, high = activation_range(
        operator.options["fused_activation_function"], target.dtype, target.scale, target.zero_point
    )
    params = Div(
        broadcast=broadcast.broadcast_of(graph, operator),
        zero_points=(first.zero_point, second.zero_point),
        output_zero_point=target.zero_point,
        multiplier=multiplier,
        shift=shift,
        activation_min=low,
        activation_max=high,
    )
    return make_layer(operator, params, all_inputs(graph, operator), [first_output(graph, operator)])


def right_shift(params: Div, dividend: Array, divisor: Array) -> Array:
    """Bits by which a quotient is shifted right; dividend and divisor are differences to their zero points."""
    headroom = 31 - np.frexp(np.abs(dividend).astype(np.float64) - (dividend < 0))[1].astype(np.int64)
    return headroom + np.frexp(np.abs(divisor).astype(np.float64))[1] - 1 - params.shift


def reference(params: Div | WholeNumbers, inputs: Sequence[Array]) -> tuple[Array, ...]:
    if isinstance(params, WholeNumbers):
        return whole_numbers.reference(params, inputs)
    dividend, divisor = np.broadcast_arrays(
        *(
            values.astype(np.int64) - zero
            for values, zero in zip(params.broadcast.operands(inputs), params.zero_points, strict=True)
        )
    )
    dividend = np.where(divisor < 0, -dividend, dividend)
    magnitude = np.maximum(np.abs(divisor), 1)
    bits = np.frexp(magnitude.astype(np.float64))[1].astype(np.int64)
    reciprocal = one_over_one_plus((magnitude << (32 - bits)) - (1 << 31))
    shift = right_shift(params, dividend, magnitude)
    raised = dividend << (shift - bits + 1 + params.shift)
    quotient = saturating_rounding_doubling_high_mul(raised, reciprocal)
    scaled = rounding_divide_by_pot(
        saturating_rounding_doubling_high_mul(quotient, params.multiplier), np.clip(shift, 0, 31)
    )
    scaled = np.where(shift > 31, 0, scaled)
    scaled = np.where(divisor == 0, np.sign(dividend) << 16, scaled)
    output = np.clip(scaled + params.output_zero_point, params.activation_min, params.activation_max)
    return (output.astype(np.int8),)


SPECS = (
    OperatorSpec(
        name="div",
        constraints=(
            checks.arity(2, 2),
            checks.options("fused_activation_function"),
            shapes.one_computed,
            whole_numbers.int8_or_whole,
            checks.known_activation,
            shapes.broadcasts,
            whole_numbers.or_whole(scales_fit),
        ),
        parse=parse,
        reference=reference,
    ),
)
