"""mul: element-wise product of two int8, two int16 or two int32 tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic import broadcast
from tinyedge.arithmetic.broadcast import Broadcast
from tinyedge.arithmetic.quantization import activation_range, quantize_multiplier, requantize
from tinyedge.graph.access import all_inputs, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks, whole_numbers
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Layer, OperatorSpec, make_layer
from tinyedge.ops.whole_numbers import WholeNumbers


@dataclass(frozen=True, eq=False)
class Mul:
    """Parameters: the product of the two differences to their zero points, rescaled to the output."""

    broadcast: Broadcast
    dtype: DType
    zero_points: tuple[int, int]
    output_zero_point: int
    multiplier: int
    shift: int
    activation_min: int
    activation_max: int


def _factor(graph: Graph, operator: Operator) -> float:
    first, second = all_inputs(graph, operator)
    return first.scale * second.scale / first_output(graph, operator).scale


def scales_fit(graph: Graph, operator: Operator) -> bool:
    """The product of the input scales is less than 2**30 times the output scale."""
    return checks.scalable(_factor(graph, operator))


def parse(graph: Graph, operator: Operator) -> Layer:
    if whole_numbers.is_whole(graph, operator):
        return whole_numbers.parse(graph, operator)
    first, second = all_inputs(graph, operator)
    target = first_output(graph, operator)
    multiplier, shift = quantize_multiplier(_factor(graph, operator))
    low, high = activation_range(
        operator.options["fused_activation_function"], target.dtype, target.scale, target.zero_point
    )
    params = Mul(
        broadcast=broadcast.broadcast_of(graph, operator),
        dtype=target.dtype,
        zero_points=(first.zero_point, second.zero_point),
        output_zero_point=target.zero_point,
        multiplier=multiplier,
        shift=shift,
        activation_min=low,
        activation_max=high,
    )
    return make_layer(operator, params, all_inputs(graph, operator), [first_output(graph, operator)])


def reference(params: Mul | WholeNumbers, inputs: Sequence[Array]) -> tuple[Array, ...]:
    if isinstance(params, WholeNumbers):
        return whole_numbers.reference(params, inputs)
    first, second = (
        values.astype(np.int64) - zero
        for values, zero in zip(params.broadcast.operands(inputs), params.zero_points, strict=True)
    )
    output = requantize(
        first * second,
        params.multiplier,
        params.shift,
        params.output_zero_point,
        params.activation_min,
        params.activation_max,
    )
    return (output.astype(params.dtype.numpy),)


SPECS = (
    OperatorSpec(
        name="mul",
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
