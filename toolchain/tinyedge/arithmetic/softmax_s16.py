"""The tables of softmax in int16, exp and the reciprocal, and how they are read."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from tinyedge.arithmetic.quantization import Int64Array
from tinyedge.graph.ir import Array

_SEGMENTS = 512


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
