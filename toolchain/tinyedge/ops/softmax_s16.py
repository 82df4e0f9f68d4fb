"""softmax over the last axis, int16 in and out, by interpolating in tables of exp and of the reciprocal."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.graph.ir import Graph, Operator
from tinyedge.graph.quantization import Int64Array, multiply_by_quantized_multiplier, quantize_multiplier
from tinyedge.ops.checks import first_input, first_output
from tinyedge.ops.contract import Array, Layer

_SEGMENTS = 512


@dataclass(frozen=True)
class SoftmaxS16:
    """Parameters: `rows` of `depth` values; differences to the maximum times (multiplier, shift) are in steps of
    10/65535, beyond -10 they count as -10."""

    rows: int
    depth: int
    multiplier: int
    shift: int


def input_factor(graph: Graph, operator: Operator) -> float:
    """The real factor of the differences."""
    return float(first_input(graph, operator).scale * operator.options["beta"] / (10.0 / 65535.0))


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    depth = source.shape[-1]
    multiplier, shift = quantize_multiplier(input_factor(graph, operator))
    params = SoftmaxS16(source.elements // depth, depth, multiplier, shift)
    return Layer(operator, params, (source,), (target,), macs=0)


@functools.cache
def exp_table() -> Array:
    """int16 [513]: exp from -10 to 0 in Q0.15."""
    return _table(np.float32(10.0), 32767, lambda x: np.exp(x.astype(np.float64)).astype(np.float32))


@functools.cache
def reciprocal_table() -> Array:
    """int16 [513]: 1 / (1 + x) from 0 to 1 in Q0.15."""
    return _table(np.float32(1.0), -32768, lambda x: np.float32(1.0) / (np.float32(1.0) + x))


def _table(span: np.float32, zero_point: int, function: Callable[[Array], Array]) -> Array:
    """A function at 513 points, in float32 throughout; each point is moved by half of the error that the chord to the
    next one has in the middle."""
    scale = span / np.float32(65535)
    low = scale * np.float32(-32768 - zero_point)
    high = scale * np.float32(32767 - zero_point)
    output_scale = np.float32(2.0) / np.float32(65535)
    inverse = np.float32(65536) / (output_scale * np.float32(32767) - output_scale * np.float32(-32768))
    step = (high - low) / np.float32(_SEGMENTS)
    at = np.arange(_SEGMENTS, dtype=np.float32)
    here = _round(function(low + at * step) * inverse)
    middle = _round(function(low + at * step + step / np.float32(2)) * inverse)
    chord = _round((function(low + (at + np.float32(1)) * step) * inverse + here) / np.float32(2))
    points = np.append(here - _round((chord - middle) / np.float32(2)), _round(function(np.array([high])) * inverse))
    return np.asarray(np.clip(points, -32768, 32767), np.int16)


def _round(value: Array) -> Array:
    """Halves away from zero."""
    return np.asarray(np.copysign(np.floor(np.abs(value.astype(np.float64)) + 0.5), value), np.float32)


def interpolate(table: Array, value: Int64Array) -> Int64Array:
    """The function of an int16 by its table."""
    index = 256 + (value >> 7)
    base = table.astype(np.int64)
    return np.asarray(base[index] + (((base[index + 1] - base[index]) * (value & 127) + 64) >> 7), np.int64)


def reference(params: SoftmaxS16, inputs: Sequence[Array]) -> tuple[Array, ...]:
    values = inputs[0].reshape(params.rows, params.depth).astype(np.int64)
    differences = values - values.max(axis=1, keepdims=True)
    scaled = multiply_by_quantized_multiplier(differences, params.multiplier, params.shift)
    exponentials = interpolate(exp_table(), np.clip(scaled + 32767, -32768, 32767))
    total = exponentials.sum(axis=1, keepdims=True)
    bits = np.frexp(total.astype(np.float64))[1].astype(np.int64)
    leading = ((total << (31 - bits)) + (1 << 13)) >> 14  # 65536 to 131072
    reciprocal = interpolate(reciprocal_table(), np.clip(leading - (3 << 15), -32768, 32767))
    right_shift = bits - 1
    results = (exponentials * reciprocal + (1 << (right_shift - 1))) >> right_shift
    return (np.clip(results, 0, 32767).astype(np.int16),)
