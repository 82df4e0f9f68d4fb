"""Weights that resize one axis of a picture: area, bilinear or nearest, in Q0.12."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from tinyedge.features.contract import Array
from tinyedge.kernels.common.c_text import Value

Resize = Literal["area", "bilinear", "nearest"]
WEIGHT_BITS = 12


@dataclass(frozen=True, eq=False)
class Axis:
    """out[i] is the sum of in[starts[i] + t] * weights[i, t] / 4096.

    starts   [size]
    weights  [size, taps], each sum 4096
    shares   the same in float64, each sum 1
    """

    starts: Array
    weights: Array
    shares: Array

    @property
    def size(self) -> int:
        return len(self.starts)

    @property
    def taps(self) -> int:
        return int(self.weights.shape[1])

    def members(self, prefix: str) -> dict[str, Value]:
        """Of a te_picture_axis."""
        return {
            "size": self.size,
            "taps": self.taps,
            "starts": f"{prefix}_starts",
            "weights": f"{prefix}_weights",
        }

    def weighted(self, values: Array, axis: int) -> Array:
        """Sums along an axis of int64 values, in Q0.12."""
        return self._sums(values, axis, self.weights.astype(np.int64))

    def exact(self, values: Array, axis: int) -> Array:
        """The same of float64 values, with exact weights."""
        return self._sums(values, axis, self.shares)

    def _sums(self, values: Array, axis: int, weights: Array) -> Array:
        moved = np.moveaxis(values, axis, -1)
        taken = moved[..., self.starts[:, None] + np.arange(self.taps)]
        found: Array = np.moveaxis((taken * weights).sum(axis=-1), -1, axis)
        return found


def axis_of(how: Resize, length: int, size: int, first: int, whole: int) -> Axis:
    """The weights from `length` pixels, of which the first is number `first` of `whole`, to `size` pixels.

    Pixels are areas: number i of the result lies over those from i * length / size to (i + 1) * length / size.
    """
    shares = np.zeros((size, length))
    for i in range(size):
        low, high = i * length / size, (i + 1) * length / size
        middle = (low + high) / 2 - 0.5
        if how == "area":
            at = np.arange(length)
            shares[i] = np.clip(np.minimum(at + 1, high) - np.maximum(at, low), 0, None)
        elif how == "bilinear":
            middle = min(max(middle, 0.0), length - 1.0)
            left = min(int(middle), max(length - 2, 0))
            shares[i, left] = 1 - (middle - left)
            if length > 1:
                shares[i, left + 1] = middle - left
        else:
            shares[i, min(int(low + (high - low) / 2), length - 1)] = 1
    shares /= shares.sum(axis=1, keepdims=True)
    taps = max(int(np.flatnonzero(row)[-1] - np.flatnonzero(row)[0]) + 1 for row in shares)
    starts = np.array([min(int(np.flatnonzero(row)[0]), length - taps) for row in shares])
    cut = np.stack([row[start : start + taps] for row, start in zip(shares, starts, strict=True)])
    return Axis(starts + first, np.stack([_whole(row) for row in cut]), cut)


def _whole(shares: Array) -> Array:
    """Whole weights that sum up to one: the largest remainders are rounded up."""
    exact = shares * (1 << WEIGHT_BITS)
    found: Array = np.floor(exact).astype(np.int64)
    missing = (1 << WEIGHT_BITS) - int(found.sum())
    found[np.argsort(found - exact, kind="stable")[:missing]] += 1
    return found
