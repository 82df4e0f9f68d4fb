"""Values that the weights of a kernel are restricted to, channel by channel: a grid of few bits, or a shared codebook.

A channel is a row of weights divided by its scale. Every row holds its largest value, 1 in magnitude, so that the
converter, which takes the largest weight of a channel for its range, finds the same scale again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

STEPS = 127
"""of int8, from 0 to the largest weight of a channel"""
LARGEST_CODEBOOK = 16
_FEWEST_WEIGHTS = 64
"""a kernel of fewer weights has few values by itself"""
_MOST_KEPT = 0.95
"""share of weights other than zero from which on a kernel does not count as pruned"""
_ALIKE = 1e-3
"""share of a channel's largest weight by which equal values may differ: int8 has eight times wider steps"""
_RATIOS = np.linspace(1.0, 0.5, 11, dtype=np.float32)
"""ranges that are tried for a channel, as shares of its largest weight"""


class Form(Protocol):
    """What the weights of a kernel may be."""

    def project(self, rows: Array) -> Array:
        """The nearest weights of this form. Shape: float32 [output channels, weights of one], both."""
        ...


@dataclass(frozen=True)
class Grid:
    """Whole steps of a channel's scale: [-7, 7] for 4 bits, [-3, 3] for 3, [-1, 1] for 2.

    per_tensor  all channels have one scale, as TensorFlow Lite has it for fully_connected of int4
    """

    bits: int
    per_tensor: bool = False

    @property
    def steps(self) -> int:
        """From 0 to the largest."""
        return int((1 << (self.bits - 1)) - 1)

    def project(self, rows: Array) -> Array:
        """Of the ranges that are tried for a channel, that with the smallest squared error.

        >>> Grid(2).project(np.array([[1.0, 0.9, 0.1, -1.1]], np.float32)).round(1).tolist()
        [[1.0, 1.0, 0.0, -1.0]]
        """
        shape = rows.shape
        if self.per_tensor:
            rows = rows.reshape(1, -1)
        largest = np.abs(rows).max(axis=1, keepdims=True)
        scale = np.where(largest > 0, largest, 1)[None] * _RATIOS[:, None, None] / self.steps
        tried = np.clip(np.round(rows[None] / scale), -self.steps, self.steps) * scale
        best = np.square(tried - rows[None]).sum(axis=2).argmin(axis=0)
        nearest: Array = tried[best, np.arange(len(rows))].reshape(shape).astype(np.float32)
        return nearest


@dataclass(frozen=True, eq=False)
class Codebook:
    """Values that all channels of a kernel share, each times its channel's scale; -1 and 1 are among them."""

    values: Array
    """ascending, of whole int8 steps"""

    @classmethod
    def fitted(cls, rows: Array, count: int, *, keep_zero: bool = False) -> Codebook:
        """`count` values that are nearest to the weights, by k-means; -1, 1 and, to `keep_zero`, 0 stay."""
        codes = normalized(rows)[0].ravel()
        fixed = [-1.0, 1.0]
        if keep_zero:
            fixed, codes = [-1.0, 0.0, 1.0], codes[codes != 0]
        moving = np.unique(np.quantile(codes, np.linspace(0, 1, count - len(fixed) + 2)[1:-1]))
        for _ in range(20):
            values = np.sort(np.concatenate([fixed, moving]))
            nearest = _nearest(values, codes)
            means = [
                codes[nearest == place].mean() if (nearest == place).any() else value
                for place, value in enumerate(values)
            ]
            moving = np.array([mean for mean, value in zip(means, values, strict=True) if value not in fixed])
        return cls(_whole_steps(np.concatenate([fixed, moving])))

    def project(self, rows: Array) -> Array:
        codes, scale = normalized(rows)
        return (self.values[_nearest(self.values, codes)] * scale).astype(np.float32)


@dataclass(frozen=True, eq=False)
class Hashed:
    """Weights that a hash has put together are equal, over all channels of a kernel."""

    groups: npt.NDArray[np.int64]
    """[output channels, weights of one], the number of each weight's group"""

    @classmethod
    def drawn(cls, shape: tuple[int, int], count: int, seed: int) -> Hashed:
        """Groups of nearly equal size, put together at random in each output channel by itself: where it has weights
        enough, each holds all values, so that all channels come out of the conversion with one scale."""
        channels, weights = shape
        random = np.random.default_rng(seed)
        if weights < count:
            return cls(random.permutation(np.arange(channels * weights) % count).reshape(shape))
        return cls(random.permuted(np.tile(np.arange(weights) % count, (channels, 1)), axis=1))

    def project(self, rows: Array) -> Array:
        """The mean of each group.

        >>> Hashed(np.array([[0, 1], [1, 0]])).project(np.array([[1.0, 5.0], [7.0, 3.0]])).tolist()
        [[2.0, 6.0], [6.0, 2.0]]
        """
        flat = self.groups.ravel()
        means = np.bincount(flat, rows.ravel()) / np.maximum(np.bincount(flat), 1)
        return means[self.groups].astype(np.float32)


@dataclass(frozen=True, eq=False)
class Masked:
    """A form in which some weights are zero."""

    kept: npt.NDArray[np.bool_]
    """[output channels, weights of one], of those that need not be zero"""
    form: Form | None = None
    """of the others; None: as they are"""

    def project(self, rows: Array) -> Array:
        rows = rows * self.kept
        return rows if self.form is None else self.form.project(rows) * self.kept


def with_zeros_of(rows: Array, form: Form) -> Form:
    """The form, in which weights that are zero stay so if there are more of them than chance makes."""
    return Masked(rows != 0, form) if has_zeros(rows) else form


def has_zeros(rows: Array) -> bool:
    """Whether more weights are zero than chance makes."""
    return bool(np.mean(rows != 0) < _MOST_KEPT)


def form_of(rows: Array, *, per_tensor: bool = False) -> Form | None:
    """The form that weights already have; None for weights as training leaves them.

    >>> random = np.random.default_rng(1).normal(size=(8, 20)).astype(np.float32)
    >>> form_of(random), form_of(Grid(4).project(random))
    (None, Grid(bits=4, per_tensor=False))
    >>> len(form_of(Codebook.fitted(random, 16).project(random)).values)
    16
    """
    if rows.size < _FEWEST_WEIGHTS:
        return None
    codes = normalized(rows.reshape(1, -1) if per_tensor else rows)[0]
    for bits in (2, 3, 4):
        steps = Grid(bits).steps
        if np.abs(codes * steps - np.round(codes * steps)).max() < _ALIKE * steps:
            return Grid(bits, per_tensor)
    values = _whole_steps(codes.ravel())
    alike = np.abs(codes.ravel() - values[_nearest(values, codes.ravel())]).max() < _ALIKE
    return Codebook(values) if len(values) <= LARGEST_CODEBOOK and alike else None


def normalized(rows: Array) -> tuple[Array, Array]:
    """(weights in [-1, 1], the scale of each row [rows, 1]); rows of zeros have a scale of 1."""
    largest = np.abs(rows).max(axis=1, keepdims=True)
    scale = np.where(largest > 0, largest, 1).astype(np.float32)
    return (rows / scale).astype(np.float32), scale


def _nearest(values: Array, codes: Array) -> npt.NDArray[np.int64]:
    """Index of the value that is nearest to each code; `values` are ascending."""
    return np.searchsorted((values[1:] + values[:-1]) / 2, codes)


def _whole_steps(values: Array) -> Array:
    """The different values after rounding to int8 steps, ascending."""
    return (np.unique(np.round(values * STEPS)) / STEPS).astype(np.float32)
