"""Quantization arithmetic, equal to TensorFlow Lite Micro's to the last bit.

TensorFlow Lite Micro scales an int32 accumulator by a real factor in fixed point: factor = multiplier * 2**(shift - 31)
with a 31-bit multiplier. It rounds twice, once in the high multiplication and once in the right shift.
All array functions compute in int64, broadcast their arguments, and expect values that fit in int32.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.graph.ir import DType, integer_range

Int64Array = npt.NDArray[np.int64]
IntLike = int | npt.NDArray[Any]

_INT32_MAX = (1 << 31) - 1
MAX_LEFT_SHIFT = 30
"""the largest shift that an int32 accumulator can take"""
MAX_WIDE_LEFT_SHIFT = 7
"""the largest shift that an int64 accumulator can take"""
WIDE_FRACTION_BITS = 15
"""of the multiplier that scales an int64 accumulator"""

ACTIVATIONS: dict[str, tuple[float | None, float | None]] = {
    "none": (None, None),
    "relu": (0.0, None),
    "relu_n1_to_1": (-1.0, 1.0),
    "relu6": (0.0, 6.0),
}
"""fused activations and the real values they clamp to"""


def round_half_away(value: float) -> int:
    """Round to the nearest integer, halves away from zero, as C's round() does.

    >>> [round_half_away(v) for v in (0.5, 1.5, -0.5, -1.5, 0.49999999999999994)]
    [1, 2, -1, -2, 0]
    """
    whole = math.floor(abs(value))
    whole += abs(value) - whole >= 0.5
    return whole if value >= 0 else -whole


def quantize_multiplier(real: float) -> tuple[int, int]:
    """Multiplier and shift (positive: left) of a non-negative real factor; factors below 2**-32 become (0, 0).

    >>> quantize_multiplier(0.5), quantize_multiplier(1.0), quantize_multiplier(0.75)
    ((1073741824, 0), (1073741824, 1), (1610612736, 0))
    >>> quantize_multiplier(2.0**-33), quantize_multiplier(0.0)
    ((0, 0), (0, 0))
    """
    if real == 0.0:
        return 0, 0
    fraction, shift = math.frexp(real)
    multiplier = round_half_away(fraction * (1 << 31))
    if multiplier == 1 << 31:
        multiplier //= 2
        shift += 1
    if shift < -31:
        return 0, 0
    return multiplier, shift


def wrap_int32(value: IntLike) -> Int64Array:
    """The value that remains in 32 bits, as two's complement.

    >>> wrap_int32(np.array([2**31, -(2**31) - 1]))
    array([-2147483648,  2147483647])
    """
    wrapped: Int64Array = ((np.asarray(value, np.int64) + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
    return wrapped


def saturating_rounding_doubling_high_mul(a: IntLike, b: IntLike) -> Int64Array:
    """a * b / 2**31, halves rounded up, saturated (only -2**31 squared needs it).

    The published definition rounds halves away from zero and then truncates by a division that rounds towards
    zero; for negative products the two together are this floor.

    >>> saturating_rounding_doubling_high_mul(np.array([-3, -(2**31)]), np.array([1 << 30, -(2**31)]))
    array([        -1, 2147483647])
    """
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    result: Int64Array = np.minimum((product + (1 << 30)) >> 31, _INT32_MAX)
    return result


def rounding_divide_by_pot(value: IntLike, exponent: IntLike) -> Int64Array:
    """value / 2**exponent, halves rounded away from zero.

    Range:  exponent in [0, 31]

    >>> rounding_divide_by_pot(np.array([3, -3, 5, -5]), 1)
    array([ 2, -2,  3, -3])
    """
    value = np.asarray(value, np.int64)
    exponent = np.asarray(exponent, np.int64)
    mask = (np.int64(1) << exponent) - 1
    threshold = (mask >> 1) + (value < 0)
    result: Int64Array = (value >> exponent) + ((value & mask) > threshold)
    return result


def multiply_by_quantized_multiplier(value: IntLike, multiplier: IntLike, shift: IntLike) -> Int64Array:
    """value * multiplier * 2**(shift - 31) with double rounding; arguments broadcast.

    A left shift that leaves 32 bits wraps, as it does on every target.

    Range:  shift in [-31, 30]

    >>> multiply_by_quantized_multiplier(np.array([100, -100]), *quantize_multiplier(0.125))
    array([ 13, -13])
    """
    shift = np.asarray(shift, np.int64)
    shifted = wrap_int32(np.asarray(value, np.int64) << np.maximum(shift, 0))
    return rounding_divide_by_pot(saturating_rounding_doubling_high_mul(shifted, multiplier), np.maximum(-shift, 0))


def short_multiplier(multiplier: IntLike) -> Int64Array:
    """A 31-bit multiplier rounded to 15 bits.

    >>> short_multiplier(np.array([1 << 30, (1 << 31) - 1]))
    array([16384, 32767])
    """
    shortened: Int64Array = np.minimum((np.asarray(multiplier, np.int64) + (1 << 15)) >> 16, 0x7FFF)
    return shortened


def multiply_wide(value: IntLike, multiplier: IntLike, shift: IntLike) -> Int64Array:
    """int64 value * multiplier * 2**(shift - 31) by the upper 16 bits of the multiplier, rounded once, halves up.

    What leaves 32 bits wraps.

    Range:  value in [-2**47, 2**47), shift in [-31, 7]

    >>> multiply_wide(np.array([3 << 40, -100]), *quantize_multiplier(2.0**-30))
    array([3072,    0])
    """
    right = WIDE_FRACTION_BITS - np.asarray(shift, np.int64)
    return wrap_int32(
        (np.asarray(value, np.int64) * short_multiplier(multiplier) + (np.int64(1) << (right - 1))) >> right
    )


def requantize(
    accumulator: IntLike, multiplier: IntLike, shift: IntLike, zero_point: int, low: int, high: int
) -> Int64Array:
    """Scale an accumulator to the output's quantization and clamp it to [low, high].

    >>> requantize(np.array([-1000, 0, 1000]), *quantize_multiplier(0.25), zero_point=3, low=-128, high=127)
    array([-128,    3,  127])
    """
    scaled = multiply_by_quantized_multiplier(accumulator, multiplier, shift) + zero_point
    clamped: Int64Array = np.clip(scaled, low, high)
    return clamped


def quantize_real(value: float, scale: float, zero_point: int) -> int:
    """The quantized value of a real one, not clamped; the division is in float32 as on the device.

    >>> quantize_real(6.0, 0.0235, -128)
    127
    """
    return round_half_away(float(np.float32(value) / np.float32(scale))) + zero_point


def activation_range(activation: str, dtype: DType, scale: float, zero_point: int) -> tuple[int, int]:
    """The clamp of a fused activation in quantized units, within the range of the type.

    Raises: KeyError for an activation not in `ACTIVATIONS`

    >>> activation_range("relu6", DType.INT8, 6 / 255, -128)
    (-128, 127)
    >>> activation_range("relu_n1_to_1", DType.INT8, 0.05, 3)
    (-17, 23)
    """
    low, high = integer_range(dtype)
    real_low, real_high = ACTIVATIONS[activation]
    if real_low is not None:
        low = max(low, quantize_real(real_low, scale, zero_point))
    if real_high is not None:
        high = min(high, quantize_real(real_high, scale, zero_point))
    return low, high
