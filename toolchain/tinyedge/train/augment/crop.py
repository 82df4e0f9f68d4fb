"""Crop: a part of each sample is cut out and stretched to the whole size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyedge.tables import require_range
from tinyedge.train.augment.contract import Array, Stage, blocks, check_axes


@dataclass(frozen=True)
class Crop:
    """Cuts a part out of each sample, of another size and place, and enlarges it by linear interpolation."""

    name: ClassVar[str] = "crop"
    stage: ClassVar[Stage] = "signal"
    moves: ClassVar[bool] = True

    smallest: float = 0.8
    """share of each axis that is left at least"""
    axes: tuple[int, ...] = (0, 1)
    """axes of a sample along which it is cut, all by the same share"""

    def __post_init__(self) -> None:
        require_range("smallest", self.smallest, 0.1, 0.999)

    def check(self, shape: tuple[int, ...]) -> None:
        check_axes(self.axes, shape)

    def apply(self, samples: Array, random: np.random.Generator) -> Array:
        shares = random.uniform(self.smallest, 1.0, len(samples))
        for axis in self.axes:
            last = samples.shape[axis + 1] - 1
            starts = random.uniform(0.0, 1.0, len(samples)) * (1 - shares) * last
            places = starts[:, None] + shares[:, None] * np.arange(last + 1)
            samples = interpolate(samples, np.minimum(places, last), axis + 1)
        return samples


def interpolate(samples: Array, places: Array, axis: int) -> Array:
    """Values between the places of an axis, linearly, each sample at places of its own.

    Shape:  samples [N, ..., length, ...]; places [N, length] in [0, length - 1]

    >>> interpolate(np.array([[0.0, 10.0, 20.0]]), np.array([[0.5, 1.0, 1.25]]), 1).tolist()
    [[5.0, 10.0, 12.5]]
    """
    moved = np.moveaxis(samples, axis, 1)
    mixed = np.empty((*places.shape, *moved.shape[2:]), samples.dtype)
    for block in blocks(moved):
        some, at = moved[block], places[block]
        low = np.minimum(at.astype(np.int64), max(moved.shape[1] - 2, 0))
        high = np.minimum(low + 1, moved.shape[1] - 1)
        part = (at - low).astype(samples.dtype).reshape(*at.shape, *(1 for _ in moved.shape[2:]))
        rows = np.arange(len(some))[:, None]
        mixed[block] = some[rows, low] * (1 - part) + some[rows, high] * part
    return np.ascontiguousarray(np.moveaxis(mixed, 1, axis))


TECHNIQUE = Crop
