"""FFTs of real samples in fixed point: of int16, equal to the last bit to that of TensorFlow Lite Micro's signal
library, and of int32, for features that need to hear what is quiet beside what is loud.

Each stage divides by its radix before it adds, so the result is the transform divided by the length. In int16, sums of
rotated values can still leave the type, and wrap then. Radix 4 from the outside in, and one innermost radix 2 where the
length is no power of 4.

Source: kissfft (130) with 16 bits of fixed point, whose order of operations decides the roundings
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]
IntArray = npt.NDArray[np.signedinteger]

LENGTHS = tuple(1 << bits for bits in range(3, 13))
"""of real samples that can be transformed"""


@dataclass(frozen=True)
class Fixed:
    """Fixed point of a transform; equal ones share their tables."""

    bits: int

    @property
    def dtype(self) -> np.dtype[np.signedinteger]:
        return np.dtype(f"int{self.bits}")

    @property
    def one(self) -> int:
        """1.0 of a twiddle, as near as the type comes."""
        return (1 << (self.bits - 1)) - 1

    def wrapped(self, values: Int64Array) -> Int64Array:
        return values.astype(self.dtype).astype(np.int64)

    def rounded(self, product: Int64Array) -> Int64Array:
        """A product of a value and a twiddle, as a value."""
        return self.wrapped((product + (1 << (self.bits - 2))) >> (self.bits - 1))

    def divided(self, values: Int64Array, divisor: int) -> Int64Array:
        """By 2 or 4: int16 multiplies by what 1 / divisor is in Q15, int32 shifts."""
        if self.bits == 16:
            return self.rounded(values * (self.one // divisor))
        return (values + divisor // 2) >> (divisor // 2)

    def table(self, phase: npt.NDArray[np.float64]) -> IntArray:
        """exp(i phase).  Shape: [n] -> [n, 2], real before imaginary."""
        parts = np.stack([np.cos(phase), np.sin(phase)], axis=1)
        return np.floor(0.5 + self.one * parts).astype(self.dtype)


S16, S32 = Fixed(16), Fixed(32)


@cache
def twiddles(points: int, fixed: Fixed = S16) -> IntArray:
    """exp(-2 pi i k / points).  Shape: [points, 2], real before imaginary."""
    return fixed.table(-2 * np.pi * np.arange(points) / points)


@cache
def real_twiddles(points: int, fixed: Fixed = S16) -> IntArray:
    """exp(-pi i ((k + 1) / points + 1/2)): they part the transform of `points` pairs of real samples.

    Shape:  [points / 2, 2], real before imaginary
    """
    return fixed.table(-np.pi * ((np.arange(points // 2) + 1) / points + 0.5))


def radices(points: int) -> tuple[int, ...]:
    """Of the stages of a complex transform, from the outermost in.

    >>> radices(256), radices(128)
    ((4, 4, 4, 4), (4, 4, 4, 2))
    """
    found = []
    while points > 1:
        found.append(4 if points % 4 == 0 else 2)
        points //= found[-1]
    return tuple(found)


@cache
def order(points: int) -> npt.NDArray[np.uint16]:
    """Which sample stands where before the innermost stage."""
    indices = np.arange(points)
    for radix in radices(points):
        # the samples that a stage's parts take are interleaved, its results are not
        indices = indices.reshape(-1, points // radix, radix).swapaxes(1, 2).reshape(-1)
        points //= radix
    return indices.astype(np.uint16)


def rfft_s16(samples: npt.NDArray[np.int16], length: int) -> npt.NDArray[np.int16]:
    """The transform of samples with zeros behind them, divided by `length`.

    Shape:  [..., at most length] -> [..., length + 2], the bins 0 to length / 2, real before imaginary
    Range:  length one of LENGTHS
    """
    return _rfft(samples, length, S16).astype(np.int16)


def rfft_s32(samples: npt.NDArray[np.int32], length: int) -> npt.NDArray[np.int32]:
    """The same in int32.  Range: samples in [-2^30, 2^30]."""
    return _rfft(samples, length, S32).astype(np.int32)


def _rfft(samples: IntArray, length: int, fixed: Fixed) -> Int64Array:
    padded = np.zeros((*samples.shape[:-1], length), np.int64)
    padded[..., : samples.shape[-1]] = samples
    pairs = padded.reshape(*samples.shape[:-1], length // 2, 2)
    return _Transform(fixed).real_bins(*_Transform(fixed).complex_bins(pairs[..., 0], pairs[..., 1]))


_Complex = tuple[Int64Array, Int64Array]


@dataclass(frozen=True)
class _Transform:
    fixed: Fixed

    def multiply(self, a: _Complex, b: _Complex) -> _Complex:
        return self.fixed.rounded(a[0] * b[0] - a[1] * b[1]), self.fixed.rounded(a[0] * b[1] + a[1] * b[0])

    def divide(self, a: _Complex, divisor: int) -> _Complex:
        return self.fixed.divided(a[0], divisor), self.fixed.divided(a[1], divisor)

    def add(self, a: _Complex, b: _Complex) -> _Complex:
        return self.fixed.wrapped(a[0] + b[0]), self.fixed.wrapped(a[1] + b[1])

    def subtract(self, a: _Complex, b: _Complex) -> _Complex:
        return self.fixed.wrapped(a[0] - b[0]), self.fixed.wrapped(a[1] - b[1])

    def complex_bins(self, real: Int64Array, imaginary: Int64Array) -> _Complex:
        shape = real.shape
        points = shape[-1]
        values = real[..., order(points)], imaginary[..., order(points)]
        table = twiddles(points, self.fixed).astype(np.int64)
        width = 1  # of the parts that a stage joins
        for radix in reversed(radices(points)):
            blocks = tuple(part.reshape(*shape[:-1], -1, radix, width) for part in values)
            step = points // (radix * width)
            parts = [self.divide((blocks[0][..., q, :], blocks[1][..., q, :]), radix) for q in range(radix)]
            for q in range(1, radix if width > 1 else 0):  # the innermost twiddles are 1
                turn = table[np.arange(width) * step * q]
                parts[q] = self.multiply(parts[q], (turn[:, 0], turn[:, 1]))
            joined = self.butterfly_2(parts) if radix == 2 else self.butterfly_4(parts)
            real, imaginary = (np.stack([part[i] for part in joined], axis=-2).reshape(shape) for i in (0, 1))
            values = real, imaginary
            width *= radix
        return values

    def butterfly_2(self, parts: list[_Complex]) -> list[_Complex]:
        return [self.add(parts[0], parts[1]), self.subtract(parts[0], parts[1])]

    def butterfly_4(self, parts: list[_Complex]) -> list[_Complex]:
        first, second, third, fourth = parts
        difference, total = self.subtract(first, third), self.add(first, third)
        odd_total, odd = self.add(second, fourth), self.subtract(second, fourth)
        turned = odd[1], -odd[0]
        return [
            self.add(total, odd_total),
            self.add(difference, turned),
            self.subtract(total, odd_total),
            self.subtract(difference, turned),
        ]

    def real_bins(self, real: Int64Array, imaginary: Int64Array) -> Int64Array:
        """The bins of the real samples, out of the transform of them as pairs."""
        points = real.shape[-1]
        result = np.zeros((*real.shape[:-1], points + 1, 2), np.int64)
        first_real, first_imaginary = self.divide((real[..., 0], imaginary[..., 0]), 2)
        result[..., 0, 0] = self.fixed.wrapped(first_real + first_imaginary)
        result[..., points, 0] = self.fixed.wrapped(first_real - first_imaginary)
        k = np.arange(1, points // 2 + 1)
        low = self.divide((real[..., k], imaginary[..., k]), 2)
        high = self.divide((real[..., points - k], self.fixed.wrapped(-imaginary[..., points - k])), 2)
        total, difference = self.add(low, high), self.subtract(low, high)
        table = real_twiddles(points, self.fixed).astype(np.int64)
        turned = self.multiply(difference, (table[:, 0], table[:, 1]))
        result[..., k, 0] = (total[0] + turned[0]) >> 1
        result[..., k, 1] = (total[1] + turned[1]) >> 1
        result[..., points - k, 0] = (total[0] - turned[0]) >> 1
        result[..., points - k, 1] = (turned[1] - total[1]) >> 1
        return result.reshape(*real.shape[:-1], 2 * points + 2)
