"""Gain: samples become louder or softer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyedge.tables import require_range
from tinyedge.train.augment.contract import Array, Stage, check_channels, per_sample


@dataclass(frozen=True)
class Gain:
    """Multiplies each sample, or some of its channels, by another factor."""

    name: ClassVar[str] = "gain"
    stage: ClassVar[Stage] = "signal"
    moves: ClassVar[bool] = False

    lowest: float = 0.8
    """smallest factor"""
    highest: float = 1.25
    """largest factor"""
    channels: tuple[int, ...] = ()
    """channels of the last axis that are multiplied; none: all"""

    def __post_init__(self) -> None:
        require_range("lowest", self.lowest, 0)
        require_range("highest", self.highest, self.lowest)

    def check(self, shape: tuple[int, ...]) -> None:
        check_channels(self.channels, shape)

    def apply(self, samples: Array, random: np.random.Generator) -> Array:
        factors = random.uniform(self.lowest, self.highest, len(samples))
        if not self.channels:
            return samples * per_sample(factors, samples)
        changed = samples.copy()
        for channel in self.channels:
            changed[..., channel] *= per_sample(factors, changed[..., channel])
        return changed


TECHNIQUE = Gain
