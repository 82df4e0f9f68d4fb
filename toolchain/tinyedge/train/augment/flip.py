"""Flip: samples are mirrored along an axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyedge.tables import require_range
from tinyedge.train.augment.contract import Array, Stage, check_axes


@dataclass(frozen=True)
class Flip:
    """Mirrors some of the samples."""

    name: ClassVar[str] = "flip"
    stage: ClassVar[Stage] = "signal"
    moves: ClassVar[bool] = True

    axis: int = 1
    """axis of a sample along which it is mirrored: 1 swaps left and right of an image, 0 is upside down"""
    share: float = 0.5
    """share of the samples that are mirrored"""

    def __post_init__(self) -> None:
        require_range("share", self.share, 0.01, 1)

    def check(self, shape: tuple[int, ...]) -> None:
        check_axes((self.axis,), shape)

    def apply(self, samples: Array, random: np.random.Generator) -> Array:
        chosen = random.random(len(samples)) < self.share
        flipped = samples.copy()
        flipped[chosen] = np.flip(samples[chosen], self.axis + 1)
        return flipped


TECHNIQUE = Flip
