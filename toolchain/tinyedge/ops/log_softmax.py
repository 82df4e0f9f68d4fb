"""log_softmax over the last axis, int8 in and out, in gemmlowp's fixed point."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.fixed_point import exp_on_negative_values, log_of_q12
from tinyedge.arithmetic.quantization import (
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_divide_by_pot,
    wrap_int32,
)
from tinyedge.graph.access import first_input, first_output
from tinyedge.graph.ir import Array, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.contract import Layer, OperatorSpec

_INTEGER_BITS = 5
"""of the scaled difference to the maximum: Q5.26"""
_SUM_INTEGER_BITS = 12
"""of the sum of the exponentials: Q12.19"""
_OUTPUT_INTEGER_BITS = 4


@dataclass(frozen=True, eq=False)
class LogSoftmax:
    """Parameters: `rows` of `depth` values; the input scale as multiplier and left shift to Q5.26, and back as
    reverse multiplier and shift; the smallest difference to the maximum that still counts (`diff_min`).

    exponentials  int32 [n]: exp of the differences 0, -1, ... to the maximum in Q12.19; beyond its end they are 0
    """

    rows: int
    depth: int
    multiplier: int
    left_shift: int
    reverse_multiplier: int
    reverse_shift: int
    diff_min: int
    exponentials: Array


def depth_fits(graph: Graph, operator: Operator) -> bool:
    """Input and output have the same shape, with 1 to 4095 values along the last axis."""
    shape = first_input(graph, operator).shape
    return bool(shape) and shape == first_output(graph, operator).shape and 1 <= shape[-1] < 1 << _SUM_INTEGER_BITS


def scale_fits(graph: Graph, operator: Operator) -> bool:
    """The input scale is more than 2**-25."""
    return first_input(graph, operator).scale > 2.0**-25


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    fraction_bits = 31 - _INTEGER_BITS
    multiplier, left_shift = quantize_multiplier(min(source.scale * (1 << fraction_bits), (1 << 31) - 1.0))
    reverse_multiplier, reverse_shift = quantize_multiplier((1 << (31 - left_shift)) / multiplier)
    diff_min = -math.floor(((1 << _INTEGER_BITS) - 1) * (1 << fraction_bits) / (1 << left_shift))
    differences = -np.arange(min(-diff_min, 255) + 1, dtype=np.int64)
    scaled = multiply_by_quantized_multiplier(differences, multiplier, left_shift)
    exponentials = rounding_divide_by_pot(exp_on_negative_values(scaled), _SUM_INTEGER_BITS)
    depth = source.shape[-1]
    params = LogSoftmax(
        rows=source.elements // depth,
        depth=depth,
        multiplier=multiplier,
        left_shift=left_shift,
        reverse_multiplier=reverse_multiplier,
        reverse_shift=reverse_shift,
        diff_min=diff_min,
        exponentials=np.trim_zeros(exponentials, "b").astype(np.int32),
    )
    return Layer(operator, params, (source,), (target,), macs=0)


def reference(params: LogSoftmax, inputs: Sequence[Array]) -> tuple[Array, ...]:
    values = inputs[0].reshape(params.rows, params.depth).astype(np.int64)
    below = values.max(axis=1, keepdims=True) - values
    table = np.zeros(256, np.int64)
    table[: len(params.exponentials)] = params.exponentials
    log_sum = log_of_q12(table[below].sum(axis=1, keepdims=True))
    lowest = multiply_by_quantized_multiplier(log_sum - (1 << 31), params.reverse_multiplier, params.reverse_shift)
    scaled = multiply_by_quantized_multiplier(-below, params.multiplier, params.left_shift)
    right_shift = 31 - _INTEGER_BITS - _OUTPUT_INTEGER_BITS
    logarithms = rounding_divide_by_pot(wrap_int32(scaled - log_sum), right_shift) + 127
    output = np.where(-below > np.maximum(params.diff_min - 1, lowest), logarithms, -128)
    return (np.clip(output, -128, 127).astype(np.int8),)


SPECS = (
    OperatorSpec(
        name="log_softmax",
        constraints=(
            checks.arity(1, 1),
            checks.computed_input,
            checks.int8_in_and_out,
            checks.output_quantization("1/16", 1 / 16, 127),
            depth_fits,
            scale_fits,
        ),
        parse=parse,
        reference=reference,
    ),
)
