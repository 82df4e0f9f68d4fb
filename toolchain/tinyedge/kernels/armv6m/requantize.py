"""From sums to int8 without a 64-bit product: two or three MULS a value, with constants sought offline and proved.

    two    output = clamp((sum * d0 + ((sum * d1) >> b) + offset) >> f)
    three  output = clamp((sum * d0 + ((sum * d1 + ((sum * d2) >> b)) >> b) + offset) >> f)

with digits of b bits, the first of up to 15, and all in 32 bits. It is the line (sum * M) >> b (or 2b), where M is
what the digits spell: flooring in stages is flooring once. TensorFlow Lite Micro rounds twice:
q = (sum * m + 2**30) >> 31, then q / 2**e with ties away from zero. Both are steps that go up with the sum, so they
agree for every sum the weights allow as soon as they agree on the two sums at each of the at most 255 steps. M and
`offset` of each channel are sought so that they do.

Where a fused ReLU clamps away all negative values one line does. Otherwise ties of negative values go down and those
of others up, which a line follows when it is bent at zero: `bend`, one q, is taken off negative sums.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.arithmetic.quantization import requantize
from tinyedge.kernels.common.sums import Int64Array, Sums

FRACTIONS = (18, 20, 19, 17, 16, 15, 14, 21, 13, 22, 12, 11, 10, 9, 8)
"""the choices for f, those first that most layers can have: layers with the same b and f share code"""
DIGIT_BITS = {2: (12, 11, 13, 10, 14, 15, 9, 8), 3: (9, 10, 8, 11, 12, 7)}
"""the choices for b by the number of digits: three are precise with few bits, which large sums leave room for"""
FIRST_BITS = 15
"""the first two digits share a word, and all are positive"""
_CANDIDATES = (0, 1, -1, 2, -2, 3, -3, 4, -4)
"""what is added to the rounded M until one fits"""
_FEW = 4
"""channels that a form is tried on before all are"""
_INT32_MAX = (1 << 31) - 1


@dataclass(frozen=True, eq=False)
class Scale:
    """How a layer's outputs are quantized; arrays hold one value per channel."""

    multiplier: npt.NDArray[Any]
    shift: npt.NDArray[Any]
    zero_point: int
    low: int
    high: int

    @property
    def rectified(self) -> bool:
        """Values below the zero point are clamped away."""
        return self.low >= self.zero_point


@dataclass(frozen=True)
class LineForm:
    """b, f, the number of digits, whether there is a bend, and the clamp."""

    digit_bits: int
    fraction: int
    digits: int
    bent: bool
    low: int
    high: int

    @property
    def words(self) -> int:
        """Words of constants per channel."""
        return self.digits + self.bent


@dataclass(frozen=True, eq=False)
class Line:
    """The constants of a layer.

    form    what the code that computes it depends on
    digits  int64 [digits, channels], the first below 2**15, the others below 2**digit_bits
    offset  int64 [channels], of int32
    bend    int64 [channels], of int32: what negative sums get on top; 0 where the form is not bent
    """

    form: LineForm
    digits: Int64Array
    offset: Int64Array
    bend: Int64Array

    @property
    def words(self) -> list[Int64Array]:
        """The constants as `asm.load_line` reads them: words [channels] each."""
        third = [self.digits[2]] if self.form.digits == 3 else []
        bend = [self.bend] if self.form.bent else []
        return [self.digits[1] | self.digits[0] << 16, self.offset, *third, *bend]


def find_line(scale: Scale, sums: Sums, left_out: Int64Array | None = None) -> Line | None:
    """The first choice of digits with constants that are right for every channel; None without one.

    left_out  per channel what the sums given and computed lack, such as the bias; only where the scale is rectified
    """
    assert left_out is None or scale.rectified
    steps = _find_steps(scale, sums, np.zeros_like(sums.low) if left_out is None else left_out)
    few = _first_channels(scale, sums, steps)
    for digits, choices in DIGIT_BITS.items():
        for digit_bits in choices:
            if sums.largest << digit_bits > _INT32_MAX:
                continue
            for fraction in FRACTIONS:
                form = LineForm(digit_bits, fraction, digits, not scale.rectified, scale.low, scale.high)
                line = None if _fit(*few, form) is None else _fit(scale, sums, steps, form)
                if line is not None:
                    return line
    return None


def _first_channels(scale: Scale, sums: Sums, steps: _Steps) -> tuple[Scale, Sums, _Steps]:
    """A layer of the first channels alone: what fits all of them fits these, and most forms do not."""
    few = slice(0, _FEW)
    alone = replace(scale, multiplier=scale.multiplier[few], shift=scale.shift[few])
    return alone, Sums(sums.low[few], sums.high[few]), _Steps(steps.values, steps.first[few])


@dataclass(frozen=True, eq=False)
class _Steps:
    """values [n]: outputs from the second lowest on; first [channels, n]: the lowest sum that gives at least that."""

    values: Int64Array
    first: Int64Array


def _find_steps(scale: Scale, sums: Sums, left_out: Int64Array) -> _Steps:
    """By bisection; a value no sum reaches has its first sum behind the highest."""
    values = np.arange(scale.low + 1, scale.high + 1, dtype=np.int64)
    shape = (len(sums.low), len(values))
    below = np.broadcast_to(sums.low[:, None] - 1, shape).copy()
    reached = np.broadcast_to(sums.high[:, None] + 1, shape).copy()
    multiplier = np.asarray(scale.multiplier, np.int64)[:, None]
    shift = np.asarray(scale.shift, np.int64)[:, None]
    while (reached - below > 1).any():
        middle = (below + reached) >> 1
        whole = middle + left_out[:, None]
        enough = requantize(whole, multiplier, shift, scale.zero_point, scale.low, scale.high) >= values
        is_open = reached - below > 1
        reached = np.where(is_open & enough, middle, reached)
        below = np.where(is_open & ~enough, middle, below)
    return _Steps(values, reached)


def _fit(scale: Scale, sums: Sums, steps: _Steps, form: LineForm) -> Line | None:
    """Constants for each channel so that every step is where it should be and nothing leaves 32 bits, or None."""
    exponent = -np.asarray(scale.shift, np.int64)
    split = form.digit_bits * (form.digits - 1)
    lost = 31 + exponent - form.fraction - split
    if (lost < -16).any() or (lost > 40).any():
        return None
    multiplier = np.asarray(scale.multiplier, np.int64)
    rounded = (multiplier + ((1 << np.maximum(lost, 0)) >> 1)) >> np.maximum(lost, 0)
    base = rounded << np.maximum(-lost, 0)
    bend = np.zeros_like(base)
    if form.bent:
        if (exponent < 0).any() or (exponent > form.fraction).any():
            return None
        bend = np.where(exponent > 0, -(np.int64(1) << (form.fraction - exponent)), 0)
    factor, offset = np.zeros_like(base), np.zeros_like(base)
    found = np.zeros(len(base), bool)
    widest = int(np.argmax(sums.high - sums.low))
    for channels in (np.array([widest]), np.arange(len(base))):  # what one channel lacks need not be asked of all
        for extra in _CANDIDATES:
            left = channels[~found[channels]]
            if not len(left):
                break
            tried, low, high = base[left] + extra, sums.low[left], sums.high[left]
            ends = _scaled(np.stack([low, high], axis=1), tried, bend[left], split)
            bounds = _offsets(
                _Steps(steps.values, steps.first[left]), low, high, tried, bend[left], split, form.fraction
            )
            lowest, highest = bounds
            middle = (lowest + highest) >> 1
            inside = np.abs(np.concatenate([ends, ends + middle[:, None]], axis=1)).max(axis=1) <= _INT32_MAX
            first = tried >> split
            inside &= (tried >= 0) & (first < 1 << FIRST_BITS) & ((first + 1) * sums.largest <= _INT32_MAX)
            new = (lowest <= highest) & inside
            factor[left[new]], offset[left[new]] = tried[new], middle[new]
            found[left[new]] = True
        if not found[channels].all():
            return None
    mask = (1 << form.digit_bits) - 1
    digits = [factor >> split, *((factor >> form.digit_bits * n) & mask for n in reversed(range(form.digits - 1)))]
    return Line(form, np.stack(digits), offset, bend)


def _scaled(sums: Int64Array, factor: Int64Array, bend: Int64Array, split: int) -> Int64Array:
    """What is computed of sums [channels, n] before the offset is added."""
    line: Int64Array = ((sums * factor[:, None]) >> split) + np.where(sums < 0, bend[:, None], 0)
    return line


def _offsets(
    steps: _Steps,
    low: Int64Array,
    high: Int64Array,
    factor: Int64Array,
    bend: Int64Array,
    split: int,
    fraction: int,
) -> tuple[Int64Array, Int64Array]:
    """The least and the greatest offset of each channel that puts every step where it should be."""
    at, before = steps.first, steps.first - 1
    wanted = steps.values << fraction
    unbounded = np.int64(1 << 40)
    least = np.where(at <= high[:, None], wanted - _scaled(at, factor, bend, split), -unbounded)
    greatest = np.where(before >= low[:, None], wanted - 1 - _scaled(before, factor, bend, split), unbounded)
    limit = 1 << 30
    lowest, highest = least.max(axis=1, initial=-limit), greatest.min(axis=1, initial=limit)
    return np.asarray(lowest, np.int64), np.asarray(highest, np.int64)
