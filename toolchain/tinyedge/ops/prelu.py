"""prelu: negative values times a slope of int8, which is usually one constant per channel; int8 or int16."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic import broadcast
from tinyedge.arithmetic.broadcast import Broadcast
from tinyedge.arithmetic.quantization import multiply_by_quantized_multiplier, quantize_multiplier
from tinyedge.graph.access import all_inputs, first_output, per_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator, integer_range
from tinyedge.ops import checks
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Layer, OperatorSpec, make_layer


@dataclass(frozen=True, eq=False)
class Prelu:
    """Parameters: values from the zero point on take (multiplier, shift), those below it are multiplied by the slope
    and take (slope_multiplier, slope_shift)."""

    broadcast: Broadcast
    dtype: DType
    input_zero_point: int
    slope_zero_point: int
    output_zero_point: int
    multiplier: int
    shift: int
    slope_multiplier: int
    slope_shift: int


def _factors(graph: Graph, operator: Operator) -> tuple[float, float]:
    source, slope = all_inputs(graph, operator)
    target = first_output(graph, operator)
    return source.scale / target.scale, source.scale * slope.scale / target.scale


def types_match(graph: Graph, operator: Operator) -> bool:
    """Input and output are both int8 or both int16 (with zero point 0), the slopes are int8, each with one scale and
    zero point."""
    source, slope = all_inputs(graph, operator)
    target = first_output(graph, operator)
    if not all(per_tensor(tensor) for tensor in (source, slope, target)) or slope.dtype is not DType.INT8:
        return False
    wide = source.dtype is DType.INT16 and source.zero_point == target.zero_point == 0
    return source.dtype is target.dtype and (wide or source.dtype is DType.INT8)


def scales_fit(graph: Graph, operator: Operator) -> bool:
    """The input scale, and its product with the scale of the slopes, are less than 2**30 times the output scale."""
    return all(checks.scalable(factor) for factor in _factors(graph, operator))


def parse(graph: Graph, operator: Operator) -> Layer:
    source, slope = all_inputs(graph, operator)
    positive, negative = _factors(graph, operator)
    multiplier, shift = quantize_multiplier(positive)
    slope_multiplier, slope_shift = quantize_multiplier(negative)
    params = Prelu(
        broadcast=broadcast.broadcast_of(graph, operator),
        dtype=source.dtype,
        input_zero_point=source.zero_point,
        slope_zero_point=slope.zero_point,
        output_zero_point=first_output(graph, operator).zero_point,
        multiplier=multiplier,
        shift=shift,
        slope_multiplier=slope_multiplier,
        slope_shift=slope_shift,
    )
    return make_layer(operator, params, all_inputs(graph, operator), [first_output(graph, operator)])


def reference(params: Prelu, inputs: Sequence[Array]) -> tuple[Array, ...]:
    values, slopes = (operand.astype(np.int64) for operand in params.broadcast.operands(inputs))
    values = values - params.input_zero_point
    products = values * (slopes - params.slope_zero_point)
    scaled = np.where(
        values >= 0,
        multiply_by_quantized_multiplier(values, params.multiplier, params.shift),
        multiply_by_quantized_multiplier(products, params.slope_multiplier, params.slope_shift),
    )
    clamped = np.clip(scaled + params.output_zero_point, *integer_range(params.dtype))
    return (clamped.astype(params.dtype.numpy),)


SPECS = (
    OperatorSpec(
        name="prelu",
        constraints=(
            checks.arity(2, 2),
            shapes.one_computed,
            types_match,
            shapes.broadcasts,
            scales_fit,
        ),
        parse=parse,
        reference=reference,
    ),
)
