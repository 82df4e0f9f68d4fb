"""The functions of an LSTM's gates: sigmoid and hyperbolic tangent of int16, by straight lines in a table."""

from __future__ import annotations

import numpy as np

from tinyedge.graph.quantization import Int64Array
from tinyedge.ops.sigmoid import logistic_table


def _interpolated(magnitude: Int64Array, bits: int) -> Int64Array:
    """sigmoid(x) of x >= 0 with 16 + `bits` fractional bits; x counts steps of 1 / 24 / 2**bits."""
    table = logistic_table().astype(np.int64)
    place = np.minimum(magnitude >> bits, 254)
    low, high = table[place], table[place + 1]
    return np.asarray((low << bits) + (magnitude & ((1 << bits) - 1)) * (high - low))


def logistic_s16(value: Int64Array) -> Int64Array:
    """sigmoid(x) with 15 fractional bits, x in int16 with 12.

    >>> logistic_s16(np.array([0, 4096, -4096, 32767]))
    array([16384, 23956,  8812, 32757])
    """
    scaled = np.asarray(value, np.int64) * 3
    magnitude = np.abs(scaled)
    result = np.where(magnitude >> 9 >= 255, 0x7FFF << 10, _interpolated(magnitude, 9))
    rounded = np.where(scaled >= 0, result + (1 << 9), (1 << 25) - result + (1 << 9) - 1)
    return np.asarray(rounded >> 10)


def tanh_factor(power: int) -> tuple[int, int]:
    """(multiplier, right shift) that bring an int16 of scale 2**power to steps of the table.

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
    scaled = (np.asarray(value, np.int64) * multiplier + half) >> right_shift
    magnitude = np.abs(scaled)
    result = np.where(magnitude >> 8 >= 255, 0xFFFF << 8, _interpolated(magnitude, 8))
    signed = np.where(scaled >= 0, result - (1 << 23) + (1 << 7), -result + (1 << 23) + (1 << 7) - 1)
    return np.asarray(signed >> 8)
