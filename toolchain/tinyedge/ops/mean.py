"""mean and sum over some axes, int8 or int16; the output may have a quantization of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic import axes
from tinyedge.arithmetic.quantization import quantize_multiplier, requantize, wrap_int32
from tinyedge.graph.access import first_input, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator, integer_range
from tinyedge.ops import checks
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Layer, OperatorSpec


@dataclass(frozen=True)
class Mean:
    """Parameters: `shape` of the input (rank as in the file), `axes` sorted and non-negative, and the requantization of
    sum(input) - zero point * count, into which for means TensorFlow Lite Micro folds the division by the count."""

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    keep_dims: bool
    input_zero_point: int
    output_zero_point: int
    multiplier: int
    shift: int
    dtype: DType = DType.INT8


def fold_count(multiplier: int, shift: int, count: int) -> tuple[int, int]:
    """Divide a fixed-point factor by a count, as far as 31 bits of multiplier and a shift of -31 allow.

    >>> fold_count(1 << 30, 1, 4), fold_count(1 << 30, 1, 3), fold_count(1 << 30, -31, 3)
    ((1073741824, -1), (715827882, 0), (357913941, -31))
    """
    extra = min(count.bit_length() - 1, 32, 31 + shift)
    return (multiplier << extra) // count, shift - extra


def scales_fit(graph: Graph, operator: Operator) -> bool:
    """The input scale is less than 2**30 times the output scale."""
    return checks.scalable(first_input(graph, operator).scale / first_output(graph, operator).scale)


def sum_fits(graph: Graph, operator: Operator) -> bool:
    """It adds up at most 2**23 values (int16: 65535), so that their sum stays in int32."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    return source.elements // target.elements <= (65535 if source.dtype is DType.INT16 else 1 << 23)


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    resolved = axes.axes_of(graph, operator)
    assert resolved is not None
    multiplier, shift = quantize_multiplier(source.scale / target.scale)
    if operator.name == "mean":
        count = math.prod(source.shape[axis] for axis in resolved)
        multiplier, shift = fold_count(multiplier, shift, count)
    params = Mean(
        shape=source.shape,
        axes=resolved,
        keep_dims=bool(operator.options["keep_dims"]),
        input_zero_point=source.zero_point,
        output_zero_point=target.zero_point,
        multiplier=multiplier,
        shift=shift,
        dtype=source.dtype,
    )
    return Layer(operator, params, (source,), (target,), macs=0)


def reference(params: Mean, inputs: Sequence[Array]) -> tuple[Array, ...]:
    count = math.prod(params.shape[axis] for axis in params.axes)
    low, high = integer_range(params.dtype)
    total = inputs[0].reshape(params.shape).sum(axis=params.axes, dtype=np.int64, keepdims=params.keep_dims)
    shifted = wrap_int32(total - params.input_zero_point * count)
    output = requantize(shifted, params.multiplier, params.shift, params.output_zero_point, low, high)
    return (output.astype(params.dtype.numpy),)


_CONSTRAINTS = (
    checks.arity(2, 2),
    checks.options("keep_dims"),
    checks.computed_input,
    checks.int8_or_int16,
    shapes.constant_axes,
    shapes.reduces_to_output,
    scales_fit,
    sum_fits,
)

SPECS = (
    OperatorSpec("mean", _CONSTRAINTS, parse, reference),
    OperatorSpec("sum", _CONSTRAINTS, parse, reference),
)
