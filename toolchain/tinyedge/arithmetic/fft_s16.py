"""The FFT of real int16 samples in int16, equal to the last bit to that of TensorFlow Lite Micro's signal library.

Each stage divides by its radix before it adds, so the result is the transform divided by the length; sums of rotated
values can still leave int16, and wrap then. Radix 4 from the outside in, and one innermost radix 2 where the length is
no power of 4.

Source: kissfft (130) with 16 bits of fixed point, whose order of operations decides the roundings
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

Int16Array = npt.NDArray[np.int16]
Int32Array = npt.NDArray[np.int32]

_ONE = 32767
"""1.0 in Q15, and what quotients are made of: x / 4 is x * (32767 // 4) in Q15"""
LENGTHS = tuple(1 << bits for bits in range(3, 13))
"""of real samples that can be transformed"""


def _wrapped(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return values.astype(np.int16).astype(np.int64)


def _rounded(product: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return _wrapped((product + (1 << 14)) >> 15)


def _to_fixed(values: npt.NDArray[np.float64]) -> Int16Array:
    return np.floor(0.5 + _ONE * values).astype(np.int16)


@cache
def twiddles(points: int) -> Int16Array:
    """exp(-2 pi i k / points) in Q15.  Shape: [points, 2], real before imaginary."""
    phase = -2 * np.pi * np.arange(points) / points
    return np.stack([_to_fixed(np.cos(phase)), _to_fixed(np.sin(phase))], axis=1)


@cache
def real_twiddles(points: int) -> Int16Array:
    """exp(-pi i ((k + 1) / points + 1/2)) in Q15: they part the transform of `points` pairs of real samples.

    Shape:  [points / 2, 2], real before imaginary
    """
    phase = -np.pi * ((np.arange(points // 2) + 1) / points + 0.5)
    return np.stack([_to_fixed(np.cos(phase)), _to_fixed(np.sin(phase))], axis=1)


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


def rfft_s16(samples: npt.NDArray[np.int16], length: int) -> Int16Array:
    """The transform of samples with zeros behind them, divided by `length`.

    Shape:  [..., at most length] -> [..., length + 2], the bins 0 to length / 2, real before imaginary
    Range:  length one of LENGTHS
    """
    padded = np.zeros((*samples.shape[:-1], length), np.int64)
    padded[..., : samples.shape[-1]] = samples
    pairs = padded.reshape(*samples.shape[:-1], length // 2, 2)
    return _real_bins(*_complex_bins(pairs[..., 0], pairs[..., 1]))


_Complex = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]


def _multiply(a: _Complex, b: _Complex) -> _Complex:
    return _rounded(a[0] * b[0] - a[1] * b[1]), _rounded(a[0] * b[1] + a[1] * b[0])


def _divide(a: _Complex, divisor: int) -> _Complex:
    return _rounded(a[0] * (_ONE // divisor)), _rounded(a[1] * (_ONE // divisor))


def _add(a: _Complex, b: _Complex) -> _Complex:
    return _wrapped(a[0] + b[0]), _wrapped(a[1] + b[1])


def _subtract(a: _Complex, b: _Complex) -> _Complex:
    return _wrapped(a[0] - b[0]), _wrapped(a[1] - b[1])


def _complex_bins(real: npt.NDArray[np.int64], imaginary: npt.NDArray[np.int64]) -> _Complex:
    shape = real.shape
    points = shape[-1]
    values = real[..., order(points)], imaginary[..., order(points)]
    table = twiddles(points).astype(np.int64)
    width = 1  # of the parts that a stage joins
    for radix in reversed(radices(points)):
        blocks = tuple(part.reshape(*shape[:-1], -1, radix, width) for part in values)
        step = points // (radix * width)
        parts = [_divide((blocks[0][..., q, :], blocks[1][..., q, :]), radix) for q in range(radix)]
        for q in range(1, radix):
            turn = table[np.arange(width) * step * q]
            parts[q] = _multiply(parts[q], (turn[:, 0], turn[:, 1]))
        joined = _butterfly_2(parts) if radix == 2 else _butterfly_4(parts)
        real, imaginary = (np.stack([part[i] for part in joined], axis=-2).reshape(shape) for i in (0, 1))
        values = real, imaginary
        width *= radix
    return values[0], values[1]


def _butterfly_2(parts: list[_Complex]) -> list[_Complex]:
    return [_add(parts[0], parts[1]), _subtract(parts[0], parts[1])]


def _butterfly_4(parts: list[_Complex]) -> list[_Complex]:
    first, second, third, fourth = parts
    difference, total = _subtract(first, third), _add(first, third)
    odd_total, odd = _add(second, fourth), _subtract(second, fourth)
    turned = odd[1], -odd[0]
    return [
        _add(total, odd_total),
        _add(difference, turned),
        _subtract(total, odd_total),
        _subtract(difference, turned),
    ]


def _real_bins(real: npt.NDArray[np.int64], imaginary: npt.NDArray[np.int64]) -> Int16Array:
    """The bins of the real samples, out of the transform of them as pairs."""
    points = real.shape[-1]
    result = np.zeros((*real.shape[:-1], points + 1, 2), np.int64)
    (first_real, first_imaginary) = _divide((real[..., 0], imaginary[..., 0]), 2)
    result[..., 0, 0] = _wrapped(first_real + first_imaginary)
    result[..., points, 0] = _wrapped(first_real - first_imaginary)
    k = np.arange(1, points // 2 + 1)
    low = _divide((real[..., k], imaginary[..., k]), 2)
    high = _divide((real[..., points - k], _wrapped(-imaginary[..., points - k])), 2)
    total, difference = _add(low, high), _subtract(low, high)
    table = real_twiddles(points).astype(np.int64)
    turned = _multiply(difference, (table[:, 0], table[:, 1]))
    result[..., k, 0] = (total[0] + turned[0]) >> 1
    result[..., k, 1] = (total[1] + turned[1]) >> 1
    result[..., points - k, 0] = (total[0] - turned[0]) >> 1
    result[..., points - k, 1] = (turned[1] - total[1]) >> 1
    return result.astype(np.int16).reshape(*real.shape[:-1], 2 * points + 2)
