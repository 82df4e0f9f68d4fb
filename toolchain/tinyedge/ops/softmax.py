"""softmax over the last axis: from int8 in gemmlowp's fixed point, from int16 by interpolating in two tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyedge.arithmetic.fixed_point import exp_on_negative_values, one_over_one_plus
from tinyedge.arithmetic.quantization import (
    Int64Array,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
)
from tinyedge.arithmetic.softmax_s16 import exp_table, interpolate, reciprocal_table
from tinyedge.graph.access import first_input, first_output, per_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator, integer_range
from tinyedge.ops import checks
from tinyedge.ops.contract import Layer, OperatorSpec

_INTEGER_BITS = 5
"""of the scaled difference to the maximum: Q5.26"""
_SUM_INTEGER_BITS = 12
"""of the sum of the exponentials: Q12.19"""


@dataclass(frozen=True)
class Softmax:
    """Parameters: `rows` of `depth` values; beta * input scale as multiplier and left shift, and the smallest
    difference to the maximum that still counts (`diff_min`).

    With 512 or more values near the maximum TensorFlow Lite Micro stops at a failed check where the output is int8;
    here every probability is then 0, i.e. -128, which is what its last right shift gives when it is continued beyond
    31.
    """

    rows: int
    depth: int
    input_multiplier: int
    input_left_shift: int
    diff_min: int
    output_dtype: DType = DType.INT8


@dataclass(frozen=True)
class SoftmaxS16:
    """Parameters: `rows` of `depth` values; differences to the maximum times (multiplier, shift) are in steps of
    10/65535, beyond -10 they count as -10."""

    rows: int
    depth: int
    multiplier: int
    shift: int


def types_match(graph: Graph, operator: Operator) -> bool:
    """It goes from int8 to int8 or int16, or from int16 to int16, each with one scale and zero point; from int16 both
    zero points are 0."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    if not (per_tensor(source) and per_tensor(target)):
        return False
    if source.dtype is DType.INT16:
        return target.dtype is DType.INT16 and source.zero_point == target.zero_point == 0
    return source.dtype is DType.INT8 and target.dtype in (DType.INT8, DType.INT16)


def probabilities_out(graph: Graph, operator: Operator) -> bool:
    """An int8 output has scale 1/256 and zero point -128, an int16 output of int16 scale 1/32768, of int8 scale 1/65536
    and zero point -32768 (scales of int16 within 0.1 %)."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    if source.dtype is DType.INT16:
        return abs(target.scale * 32768 - 1) < 1e-3
    if target.dtype is DType.INT16:
        return abs(target.scale * 65536 - 1) < 1e-3 and target.zero_point == -32768
    return target.scale == 1 / 256 and target.zero_point == -128


def depth_fits(graph: Graph, operator: Operator) -> bool:
    """Input and output have the same shape, with 1 to 4095 values along the last axis."""
    shape = first_input(graph, operator).shape
    return bool(shape) and shape == first_output(graph, operator).shape and 1 <= shape[-1] < 1 << _SUM_INTEGER_BITS


def beta_fits(graph: Graph, operator: Operator) -> bool:
    """beta times the input scale is more than 2**-26 for int8, between 0 and 2 for int16."""
    factor = operator.options["beta"] * first_input(graph, operator).scale
    if first_input(graph, operator).dtype is DType.INT16:
        return bool(0 < factor < 2)
    return math.isfinite(factor) and factor * (1 << (31 - _INTEGER_BITS)) > 1.0


def parse(graph: Graph, operator: Operator) -> Layer:
    if first_input(graph, operator).dtype is DType.INT16:
        return _parse_int16(graph, operator)
    source, target = first_input(graph, operator), first_output(graph, operator)
    factor = operator.options["beta"] * source.scale * (1 << (31 - _INTEGER_BITS))
    multiplier, left_shift = quantize_multiplier(min(factor, (1 << 31) - 1.0))
    radius = ((1 << _INTEGER_BITS) - 1) * (1 << (31 - _INTEGER_BITS)) / (1 << left_shift)
    depth = source.shape[-1]
    params = Softmax(source.elements // depth, depth, multiplier, left_shift, -math.floor(radius), target.dtype)
    return Layer(operator, params, (source,), (target,), macs=0)


def _parse_int16(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    depth = source.shape[-1]
    multiplier, shift = quantize_multiplier(float(source.scale * operator.options["beta"] / (10.0 / 65535.0)))
    return Layer(operator, SoftmaxS16(source.elements // depth, depth, multiplier, shift), (source,), (target,), macs=0)


def exponentials(params: Softmax) -> tuple[Int64Array, npt.NDArray[np.bool_]]:
    """exp of every difference to the maximum, 0 to -255, as Q0.31, and whether it counts."""
    differences = -np.arange(256, dtype=np.int64)
    counts = differences >= params.diff_min
    scaled = multiply_by_quantized_multiplier(
        np.maximum(differences, params.diff_min), params.input_multiplier, params.input_left_shift
    )
    return np.where(counts, exp_on_negative_values(scaled), 0), counts


def reference(params: Softmax | SoftmaxS16, inputs: Sequence[Array]) -> tuple[Array, ...]:
    if isinstance(params, SoftmaxS16):
        return (_reference_int16(params, inputs[0]),)
    values = inputs[0].reshape(params.rows, params.depth).astype(np.int64)
    table, counts = exponentials(params)
    below = values.max(axis=1, keepdims=True) - values
    total = rounding_divide_by_pot(table, _SUM_INTEGER_BITS)[below].sum(axis=1, keepdims=True)
    bits = np.frexp(total.astype(np.float64))[1].astype(np.int64)
    headroom = 32 - bits
    scale = one_over_one_plus((total << headroom) - (1 << 31))
    exponent = _SUM_INTEGER_BITS - headroom + 31 - 8 * params.output_dtype.bytes
    product = saturating_rounding_doubling_high_mul(scale, table[below])
    shifted = rounding_divide_by_pot(product, np.minimum(exponent, 31))
    shares = np.where((exponent <= 31) & counts[below], shifted, 0)
    low, high = integer_range(params.output_dtype)
    return (np.clip(shares + low, low, high).astype(params.output_dtype.numpy),)


def _reference_int16(params: SoftmaxS16, values: Array) -> Array:
    rows = values.reshape(params.rows, params.depth).astype(np.int64)
    differences = rows - rows.max(axis=1, keepdims=True)
    scaled = multiply_by_quantized_multiplier(differences, params.multiplier, params.shift)
    shares = interpolate(exp_table(), np.clip(scaled + 32767, -32768, 32767))
    total = shares.sum(axis=1, keepdims=True)
    bits = np.frexp(total.astype(np.float64))[1].astype(np.int64)
    leading = ((total << (31 - bits)) + (1 << 13)) >> 14  # 65536 to 131072
    reciprocal = interpolate(reciprocal_table(), np.clip(leading - (3 << 15), -32768, 32767))
    right_shift = bits - 1
    results = (shares * reciprocal + (1 << (right_shift - 1))) >> right_shift
    return np.asarray(np.clip(results, 0, 32767), np.int16)


SPECS = (
    OperatorSpec(
        name="softmax",
        constraints=(
            checks.arity(1, 1),
            checks.options("beta"),
            checks.computed_input,
            types_match,
            probabilities_out,
            depth_fits,
            beta_fits,
        ),
        parse=parse,
        reference=reference,
    ),
)
