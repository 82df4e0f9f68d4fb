"""Sigmoid and hyperbolic tangent of int16, by straight lines in one table.

Both take steps of 1 / (3 * 4096): the logistic function as they are, tanh(x) = 2 * logistic(2 * x) - 1.
"""

from __future__ import annotations

import functools

import numpy as np

from tinyedge.arithmetic.quantization import Int64Array
from tinyedge.graph.ir import Array


@functools.cache
def logistic_table() -> Array:
    """uint16 [256]: the logistic function of i/24 in 1/65536, raised where chords between its points lie below it.

    Each point takes half of the gap between chord and function in the middle of the interval that follows, which
    halves the error of linear interpolation; the last one is the largest number there is.
    """
    at = np.arange(256.0)

    def function(x: Array) -> Array:
        return np.asarray(65536 / (1 + np.exp(-x / 24)))

    gap = function(at + 0.5) - (function(at) + function(at + 1)) / 2
    table = np.floor(function(at) + gap / 2 + 0.5)
    table[-1] = 65535
    return table.astype(np.uint16)


def _interpolated(magnitude: Int64Array, bits: int) -> Int64Array:
    """sigmoid(x) of x >= 0 with 16 + `bits` fractional bits; x counts steps of 1 / 24 / 2**bits."""
    table = logistic_table().astype(np.int64)
    place = np.minimum(magnitude >> bits, 254)
    low, high = table[place], table[place + 1]
    return np.asarray((low << bits) + (magnitude & ((1 << bits) - 1)) * (high - low))


def logistic_of_steps(steps: Int64Array) -> Int64Array:
    """sigmoid(x) with 15 fractional bits, x in steps."""
    magnitude = np.abs(steps)
    result = np.where(magnitude >> 9 >= 255, 0x7FFF << 10, _interpolated(magnitude, 9))
    return np.asarray((np.where(steps >= 0, result, (1 << 25) - result - 1) + (1 << 9)) >> 10)


def tanh_of_steps(steps: Int64Array) -> Int64Array:
    """tanh(x) with 15 fractional bits, x in steps."""
    magnitude = np.abs(steps)
    result = np.where(magnitude >> 8 >= 255, 0xFFFF << 8, _interpolated(magnitude, 8)) - (1 << 23)
    return np.asarray(np.where(steps >= 0, result + (1 << 7), -result + (1 << 7) - 1) >> 8)


def logistic_s16(value: Int64Array) -> Int64Array:
    """sigmoid(x) with 15 fractional bits, x in int16 with 12.

    >>> logistic_s16(np.array([0, 4096, -4096, 32767]))
    array([16384, 23956,  8812, 32757])
    """
    return logistic_of_steps(np.asarray(value, np.int64) * 3)


def tanh_factor(power: int) -> tuple[int, int]:
    """(multiplier, right shift) that bring an int16 of scale 2**power to steps.

    >>> tanh_factor(-12), tanh_factor(-9), tanh_factor(-15)
    ((3, 0), (24, 0), (3, 3))
    """
    shift = power + 12
    return (3 << shift, 0) if shift >= 0 else (3, -shift)


def tanh_s16(value: Int64Array, multiplier: int, right_shift: int) -> Int64Array:
    """tanh(x) with 15 fractional bits, x in int16 scaled as `tanh_factor` says.

    >>> tanh_s16(np.array([0, 4096, -4096, 32767]), *tanh_factor(-12))
    array([     0,  24956, -24956,  32767])
    """
    half = (1 << right_shift) >> 1
    return tanh_of_steps((np.asarray(value, np.int64) * multiplier + half) >> right_shift)
