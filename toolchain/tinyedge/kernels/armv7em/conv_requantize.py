"""Two ways from a convolution's sums to int8, and the proof which of them is exact for a layer.

TensorFlow Lite Micro rounds twice: q = (sum * m + 2**30) >> 31, then q / 2**e with ties away from zero.

linear  one SMMLA and one SSAT a value: (((sum << 8) * scale + (offset << 32)) >> 32) >> f, with `f` one constant of
        the layer. Both this and TensorFlow Lite Micro's are steps that go up with the sum, so they agree for every
        sum as soon as they agree on the two sums at each of the at most 255 steps. `scale` and `offset` of each
        channel are sought so that they do. That works where a fused ReLU clamps away all negative values; others
        are rounded to the other side at ties, which no straight line follows.
double  the same two roundings in three or four instructions (asm.requantize), for any shift to the right.

Both are given sums with the bias in it, which the bounds of the layer keep below 2**23 in magnitude.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.quantization import requantize
from tinyedge.kernels.common.sums import Int64Array, Sums
from tinyedge.kernels.thumb.assembly import doubled_multiplier, negated_divisor
from tinyedge.ops.conv_2d import Conv2D

SUM_LIMIT = 1 << 23
"""sums are below that in magnitude, so that they can be shifted left by 8"""
FRACTIONS = (12, 13, 11, 14, 10, 15, 9, 16, 8, 17, 7)
"""the choices for f, those first that most layers can have: layers with the same f share code"""
_CANDIDATES = (0, 1, -1, 2)
"""what is added to the rounded-down scale until one fits"""


@dataclass(frozen=True, eq=False)
class Requantization:
    """How a layer gets from sums to int8.

    fraction  f of the linear form; None: the double form
    factors   int64 [channels, 2], values of int32: (scale, offset), or (doubled multiplier, negated divisor)
    rectified whether values below the zero point are clamped away
    """

    fraction: int | None
    factors: Int64Array
    rectified: bool


def double_reason(params: Conv2D) -> str:
    """Why the double form cannot serve a layer; empty when it can."""
    shifts = np.asarray(params.shift)
    if (shifts >= 0).any() or (shifts < -31).any():
        channel = int(np.flatnonzero((shifts >= 0) | (shifts < -31))[0])
        return f"channel {channel} is scaled with a shift of {int(shifts[channel])}, not by 1 to 31 to the right"
    if (np.asarray(params.multiplier) < 1 << 30).any():
        return "a channel has a multiplier of 0"
    return ""


def double_form(params: Conv2D) -> Requantization:
    """The double form; only where `double_reason` is empty."""
    factors = np.array(
        [
            (doubled_multiplier(int(m)), negated_divisor(-int(s)))
            for m, s in zip(params.multiplier, params.shift, strict=True)
        ],
        np.int64,
    )
    return Requantization(None, factors, rectified=params.activation_min >= params.output_zero_point)


def linear_form(params: Conv2D, sums: Sums) -> Requantization | None:
    """The linear form with the first of FRACTIONS that is exact for every channel; None when there is none."""
    if sums.largest >= SUM_LIMIT or (np.asarray(params.multiplier) < 1 << 30).any():
        return None
    steps = _find_steps(params, sums)
    for fraction in FRACTIONS:
        factors = _fit(params, steps, sums, fraction)
        if factors is not None:
            return Requantization(fraction, factors, rectified=True)
    return None


@dataclass(frozen=True, eq=False)
class _Steps:
    """values [n]: outputs from the second lowest on; first [channels, n]: the lowest sum that gives at least that."""

    values: Int64Array
    first: Int64Array


def _find_steps(params: Conv2D, sums: Sums) -> _Steps:
    """By bisection; a value no sum reaches has its first sum behind the highest."""
    values = np.arange(params.activation_min + 1, params.activation_max + 1, dtype=np.int64)
    shape = (len(sums.low), len(values))
    below = np.broadcast_to(sums.low[:, None] - 1, shape).copy()
    reached = np.broadcast_to(sums.high[:, None] + 1, shape).copy()
    multiplier = np.asarray(params.multiplier, np.int64)[:, None]
    shift = np.asarray(params.shift, np.int64)[:, None]
    while (reached - below > 1).any():
        middle = (below + reached) >> 1
        result = requantize(
            middle, multiplier, shift, params.output_zero_point, params.activation_min, params.activation_max
        )
        enough = result >= values
        open_ = reached - below > 1
        reached = np.where(open_ & enough, middle, reached)
        below = np.where(open_ & ~enough, middle, below)
    return _Steps(values, reached)


def _fit(params: Conv2D, steps: _Steps, sums: Sums, fraction: int) -> Int64Array | None:
    """(scale, offset) for each channel so that every step is where it should be, or None."""
    lost = 7 - np.asarray(params.shift, np.int64) - fraction  # bits of the multiplier below the scale's lowest
    if (lost < 0).any() or (lost > 30).any():
        return None
    base = np.asarray(params.multiplier, np.int64) >> lost
    factors = np.zeros((len(base), 2), np.int64)
    found = np.zeros(len(base), bool)
    for extra in _CANDIDATES:
        scale = base + extra
        lowest, highest = _offsets(steps, sums, scale, fraction)
        offset = (lowest + highest) >> 1
        fits = (lowest <= highest) & (scale >= 0) & (scale < 1 << 31) & (np.abs(offset) < 1 << 30)
        new = fits & ~found
        factors[new] = np.stack([scale, offset], axis=1)[new]
        found |= fits
    return factors if found.all() else None


def _offsets(steps: _Steps, sums: Sums, scale: Int64Array, fraction: int) -> tuple[Int64Array, Int64Array]:
    """The least and the greatest offset of each channel that puts every step where it should be."""

    def scaled(values: Int64Array) -> Int64Array:
        product: Int64Array = ((values << 8) * scale[:, None]) >> 32
        return product

    wanted = steps.values << fraction
    unbounded = np.int64(1 << 40)
    at, before = steps.first, steps.first - 1
    least = np.where(at <= sums.high[:, None], wanted - scaled(at), -unbounded)
    greatest = np.where(before >= sums.low[:, None], wanted - 1 - scaled(before), unbounded)
    lowest = least.max(axis=1, initial=-(1 << 29))
    highest = greatest.min(axis=1, initial=1 << 29)
    return np.asarray(lowest, np.int64), np.asarray(highest, np.int64)
