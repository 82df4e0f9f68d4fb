"""The Fourier transform of real numbers in 32-bit integers, and whole logarithms and roots: te_rfft_s32.c in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
ROOT_BITS = 15
LOG2_BITS = 8
LEAST_SIZE, MOST_SIZE = 8, 2048


def roots(size: int) -> Array:
    """Cosine and minus sine of 2 pi k / N in Q0.15. Shape: int16 [N / 2, 2]."""
    angles = 2 * np.pi * np.arange(size // 2) / size
    pairs = np.stack([np.cos(angles), -np.sin(angles)], axis=1)
    found: Array = np.clip(np.rint(pairs * (1 << ROOT_BITS)), -(1 << 15), (1 << 15) - 1).astype(np.int16)
    return found


def rfft_s32(data: Array) -> tuple[Array, Array]:
    """Real and imaginary part of the bins 0 to N / 2.

    Shape:  int32 [..., N], N a power of two; two int64 [..., N / 2 + 1]
    Range:  absolute values that sum up to at most 2^29
    """
    size = data.shape[-1]
    points = size // 2
    table = roots(size).astype(np.int64)
    order = _reversed_bits(points)
    re = data[..., 0::2].astype(np.int64)[..., order]
    im = data[..., 1::2].astype(np.int64)[..., order]
    half = 1
    while half < points:
        shape = (*data.shape[:-1], points // (2 * half), 2, half)
        re, im = re.reshape(shape), im.reshape(shape)
        turned_re, turned_im = _turned(re[..., 1, :], im[..., 1, :], table[:: size // (2 * half)][:half])
        re = np.stack([re[..., 0, :] + turned_re, re[..., 0, :] - turned_re], axis=-2)
        im = np.stack([im[..., 0, :] + turned_im, im[..., 0, :] - turned_im], axis=-2)
        re, im = (part.reshape(*data.shape[:-1], points) for part in (re, im))
        half *= 2
    return _untangled(re, im, table)


def integer_log2(x: Array) -> Array:
    """The logarithm to the base 2 of positive numbers in steps of 1 / 256, rounded down. uint64 -> int64."""
    whole = np.zeros(x.shape, np.int64)
    rest = x.astype(np.uint64)
    for shift in (32, 16, 8, 4, 2, 1):
        high = rest >> np.uint64(shift)
        whole += np.where(high > 0, shift, 0)
        rest = np.where(high > 0, high, rest)
    mantissa = (x.astype(np.uint64) << (63 - whole).astype(np.uint64)) >> np.uint64(32)
    result = whole
    for _ in range(LOG2_BITS):
        mantissa = (mantissa * mantissa) >> np.uint64(31)
        doubled = (mantissa >> np.uint64(32)) & np.uint64(1)
        mantissa >>= doubled
        result = 2 * result + doubled.astype(np.int64)
    return result


def integer_sqrt(x: Array) -> Array:
    """The largest whole number whose square is at most x, below 2^62. int64 -> int64."""
    root: Array = np.sqrt(x.astype(np.float64)).astype(np.int64)
    root -= root * root > x
    root += (root + 1) * (root + 1) <= x
    return root


def rounded_quotient(dividend: Array, divisor: int) -> Array:
    """To the nearest whole number, ties away from zero. int64 -> int64."""
    found: Array = np.sign(dividend) * ((np.abs(dividend) + divisor // 2) // divisor)
    return found


def _turned(re: Array, im: Array, table: Array) -> tuple[Array, Array]:
    """Products with roots; the first of `table` stands for 1."""
    half = np.int64(1 << (ROOT_BITS - 1))
    cos, sin = table[:, 0], table[:, 1]
    product_re = (re * cos - im * sin + half) >> ROOT_BITS
    product_im = (re * sin + im * cos + half) >> ROOT_BITS
    product_re[..., 0], product_im[..., 0] = re[..., 0], im[..., 0]
    return product_re, product_im


def _untangled(re: Array, im: Array, table: Array) -> tuple[Array, Array]:
    """What even and odd numbers give, taken apart."""
    points = re.shape[-1]
    k = np.arange(points + 1)
    a, b = k % points, (points - k) % points
    low = np.arange(1, points // 2 + 1)
    even_re, even_im = re[..., a] + re[..., b], im[..., a] - im[..., b]
    odd_re, odd_im = im[..., a] + im[..., b], re[..., b] - re[..., a]
    turned_re, turned_im = _turned(odd_re[..., : points // 2 + 1], odd_im[..., : points // 2 + 1], _padded(table))
    result_re, result_im = np.zeros_like(even_re), np.zeros_like(even_im)
    result_re[..., 0], result_re[..., points] = re[..., 0] + im[..., 0], re[..., 0] - im[..., 0]
    result_re[..., low] = (even_re[..., low] + turned_re[..., low] + 1) >> 1
    result_im[..., low] = (even_im[..., low] + turned_im[..., low] + 1) >> 1
    high = low[low != points - low]
    result_re[..., points - high] = (even_re[..., high] - turned_re[..., high] + 1) >> 1
    result_im[..., points - high] = (turned_im[..., high] - even_im[..., high] + 1) >> 1
    return result_re, result_im


def _padded(table: Array) -> Array:
    """The roots 0 to N / 4."""
    return table[: len(table) // 2 + 1]


def _reversed_bits(points: int) -> Array:
    bits = points.bit_length() - 1
    numbers = np.arange(points)
    order = np.zeros_like(numbers)
    for bit in range(bits):
        order |= ((numbers >> bit) & 1) << (bits - 1 - bit)
    return order
