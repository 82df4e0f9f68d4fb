"""Shift: samples move along axes; what comes in from outside is `fill`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinyedge.tables import require_range
from tinyedge.train.augment.contract import Array, Stage, check_axes


@dataclass(frozen=True)
class Shift:
    """Moves each sample by another whole number of places, along each of `axes`."""

    name: ClassVar[str] = "shift"
    stage: ClassVar[Stage] = "signal"
    moves: ClassVar[bool] = True

    most: int
    """places by which a sample moves at most, either way"""
    axes: tuple[int, ...] = (0,)
    """axes of a sample along which it moves: 0 is time, or the rows of an image, 1 its columns"""
    fill: float = 0.0
    """value of what comes in from outside"""

    def __post_init__(self) -> None:
        require_range("most", self.most, 1)

    def check(self, shape: tuple[int, ...]) -> None:
        check_axes(self.axes, shape)
        for axis in self.axes:
            if self.most >= shape[axis]:
                raise ValueError(
                    f"`most` is {self.most}, axis {axis} of a sample {list(shape)} has {shape[axis]} places"
                )

    def apply(self, samples: Array, random: np.random.Generator) -> Array:
        for axis in self.axes:
            samples = self._along(samples, axis + 1, random)
        return samples

    def _along(self, samples: Array, axis: int, random: np.random.Generator) -> Array:
        length = samples.shape[axis]
        by = random.integers(-self.most, self.most + 1, len(samples))
        moved = np.full_like(samples, self.fill)
        for step in range(-self.most, self.most + 1):
            rows = np.flatnonzero(by == step)
            if not len(rows):
                continue
            into: list[Any] = [rows, *(slice(None) for _ in samples.shape[1:])]
            out = list(into)
            into[axis] = slice(max(step, 0), length + min(step, 0))
            out[axis] = slice(max(-step, 0), length - max(step, 0))
            moved[tuple(into)] = samples[tuple(out)]
        return moved


TECHNIQUE = Shift
