"""prelu: negative values times a slope, which is usually one constant per channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic import broadcast
from tinyedge.arithmetic.broadcast import Broadcast
from tinyedge.arithmetic.quantization import multiply_by_quantized_multiplier, quantize_multiplier
from tinyedge.graph.access import all_inputs, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Layer, OperatorSpec, make_layer


@dataclass(frozen=True, eq=False)
class Prelu:
    """Parameters: values from the zero point on take (multiplier, shift), those below it are multiplied by the slope
    and take (slope_multiplier, slope_shift)."""

    broadcast: Broadcast
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
    return (np.clip(scaled + params.output_zero_point, -128, 127).astype(np.int8),)


SPECS = (
    OperatorSpec(
        name="prelu",
        constraints=(
            checks.arity(2, 2),
            shapes.one_computed,
            shapes.same_types(DType.INT8),
            shapes.broadcasts,
            scales_fit,
        ),
        parse=parse,
        reference=reference,
    ),
)
