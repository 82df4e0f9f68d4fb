"""Tables of mel bands, windows and gains: computed on the host, once, in the float32 that their definitions use."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinyedge.arithmetic.filter_bank import GAIN_VALUES, Bands
from tinyedge.features.contract import Array

WEIGHT_BITS = 12
"""fraction bits of windows and of shares of bands"""
GAIN_BITS = 21
"""fraction bits of gains"""
_ONE = np.float32(1 << WEIGHT_BITS)
_SMALL = np.float32(0.41422)
"""below it, 1 + x is not taken apart"""
_ROOT_2 = np.float32(1.4142135)
_LN_2_HIGH, _LN_2_LOW = np.float32(0.69313812256), np.float32(9.0580006145e-06)
_LOG1P = tuple(
    np.float32(value)
    for value in (
        *(6.6666668653e-01, 4.0000000596e-01, 2.8571429849e-01, 2.2222198546e-01),
        *(1.8183572590e-01, 1.5313838422e-01, 1.4798198640e-01),
    )
)
Rounding = Callable[[np.float32], int]


def mel_of(hertz: float) -> np.float32:
    """1127 ln(1 + f / 700)."""
    return np.float32(1127) * log1p_f32(np.float32(hertz) / np.float32(700))


def log1p_f32(x: np.float32) -> np.float32:
    """ln(1 + x) as the C libraries that derive from fdlibm round it, for 0 <= x < 2^24: bands of both front ends are
    defined by it.

    Source: K.C. Ng's log1p: 1 + x = 2^k (1 + f) with a correction for what the sum loses, ln(1 + f) by a polynomial of
            s = f / (2 + f)

    >>> float(log1p_f32(np.float32(1.0)))
    0.6931471824645996
    """
    k, f, lost = 0, x, np.float32(0)
    if x >= _SMALL:
        u = np.float32(1) + x
        mantissa, exponent = np.frexp(u)
        k = int(exponent) - 1
        lost = ((np.float32(1) - (u - x)) if k > 0 else (x - (u - np.float32(1)))) / u
        u = np.float32(mantissa) * np.float32(2)
        if u >= _ROOT_2:
            k, u = k + 1, u * np.float32(0.5)
        f = u - np.float32(1)
    half_square = np.float32(0.5) * f * f
    s = f / (np.float32(2) + f)
    z = s * s
    polynomial = np.float32(0)
    for coefficient in reversed(_LOG1P):
        polynomial = z * (coefficient + polynomial)
    tail = s * (half_square + polynomial)
    if k == 0:
        return np.float32(f - (half_square - tail))
    whole, rest = np.float32(k) * _LN_2_HIGH, np.float32(k) * _LN_2_LOW
    return np.float32(whole - ((half_square - (tail + (rest + lost))) - f))


def cut_off(share: np.float32) -> int:
    """The weight of a share, as TensorFlow Lite Micro's signal library makes it."""
    return int(share * _ONE)


def to_nearest(share: np.float32) -> int:
    """The weight of a share, as the C front end makes it."""
    return math.floor(np.float32(share * _ONE + np.float32(0.5)))


def mel_bands(
    rate_hz: int, bins: int, channels: int, low_hz: float, high_hz: float, first_bin: int, rounding: Rounding
) -> Bands:
    """Triangles of equal width in mel, without the zeros that a definition may pad them with."""
    hertz_per_bin = rate_hz / 2 / (bins - 1)
    low, high = mel_of(low_hz), mel_of(high_hz)
    spacing = np.float32(np.float32(high - low) / np.float32(channels + 1))
    centers = [np.float32(low + np.float32(spacing * np.float32(part + 1))) for part in range(channels + 1)]
    starts: list[int] = []
    first: list[int] = []
    widths: list[int] = []
    weights: list[int] = []
    rests: list[int] = []
    at = first_bin
    for part, center in enumerate(centers):
        before = low if part == 0 else centers[part - 1]
        starts.append(min(at, bins - 1))
        first.append(len(weights))
        while at < bins and mel_of(at * hertz_per_bin) <= center:
            share = np.float32(np.float32(center - mel_of(at * hertz_per_bin)) / np.float32(center - before))
            weights.append(rounding(share))
            rests.append(rounding(np.float32(np.float32(1) - share)))
            at += 1
        widths.append(len(weights) - first[-1])
    return Bands(*(np.array(values, np.int16) for values in (starts, first, widths, weights, rests)))


def hann_window(size: int) -> Array:
    """Between the samples, so that it has no zeros; in Q12."""
    angles = (np.arange(size) + 0.5) * (2 * np.pi / size)
    weights: Array = np.floor((0.5 - 0.5 * np.cos(angles)) * (1 << WEIGHT_BITS) + 0.5).astype(np.int16)
    return weights


def hann_window_f32(size: int) -> Array:
    """The same with every step rounded to float32, as the C front end computes it."""
    step = np.float32(np.float32(np.pi) * np.float32(2)) / np.float32(size)
    angles = step * (np.arange(size, dtype=np.float32) + np.float32(0.5))
    cosines = np.cos(angles.astype(np.float64)).astype(np.float32)
    weights: Array = np.floor((np.float32(0.5) - np.float32(0.5) * cosines) * _ONE + np.float32(0.5)).astype(np.int16)
    return weights


def gain_table(strength: float, offset: float, input_bits: int) -> Array:
    """Gains (noise + offset) ^ -strength in Q21: those of the noise 0 and 1, then for each further bit of the noise the
    coefficients of a parabola and a space. The noise has `input_bits` of fraction."""

    def gain(noise: int) -> int:
        real = np.float32(np.float32(noise) / np.float32(2.0**input_bits)) + np.float32(offset)
        scaled = np.float32(1 << GAIN_BITS) * np.float32(float(real) ** -float(np.float32(strength)))
        return int(min(scaled + np.float32(0.5), np.float32(32767)))

    table = [gain(0), gain(1)]
    for interval in range(2, 33):
        low = 1 << (interval - 1)
        end = 2 * low - (interval == 32)
        first, middle, last = gain(low), gain(low + low // 2), gain(end)
        slope = 4 * (middle - first) - (last - first)
        table += [first, slope, last - first - slope, 0]
    # the space behind the last parabola is not part of the table
    return np.array(table[:GAIN_VALUES], np.int64).astype(np.int16)
