"""Time stretch: signals become faster or slower around their middle; outside of what is known they are 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyedge.tables import require_range
from tinyedge.train.augment.contract import Array, Stage, blocks, check_channels, per_sample
from tinyedge.train.augment.crop import interpolate


@dataclass(frozen=True)
class TimeStretch:
    """Plays each sample at another speed, by linear interpolation along its first axis, around another middle."""

    name: ClassVar[str] = "time_stretch"
    stage: ClassVar[Stage] = "signal"
    moves: ClassVar[bool] = True

    slowest: float = 0.8
    """smallest speed: 1 is that of the recording"""
    fastest: float = 1.25
    """largest speed; above 1 a sample does not fill its window, and the rest is 0"""
    share: float = 1.0
    """share of the samples that are changed"""
    rates: tuple[int, ...] = ()
    """channels that hold changes in time, as those of a gyroscope: they grow with the speed"""

    def __post_init__(self) -> None:
        require_range("slowest", self.slowest, 0.1, 10)
        require_range("fastest", self.fastest, self.slowest, 10)
        require_range("share", self.share, 0.01, 1)

    def check(self, shape: tuple[int, ...]) -> None:
        check_channels(self.rates, shape)

    def apply(self, samples: Array, random: np.random.Generator) -> Array:
        count, length = samples.shape[:2]
        speeds: Array = np.asarray(random.uniform(self.slowest, self.fastest, count))
        speeds[random.random(count) >= self.share] = 1.0
        middle = (length - 1) / 2
        # A slow sample shows a part of the window, at any place within it; a fast one stays in the middle.
        room = np.maximum(1 - speeds, 0) * middle
        centers = middle + random.uniform(-1, 1, count) * room
        stretched = np.empty_like(samples)
        for block in blocks(samples):
            places = centers[block, None] + speeds[block, None] * (np.arange(length) - middle)
            known = (places >= 0) & (places <= length - 1)
            stretched[block] = interpolate(samples[block], np.clip(places, 0, length - 1), 1)
            stretched[block] *= known.reshape(*known.shape, *(1 for _ in samples.shape[2:]))
        for channel in self.rates:
            stretched[..., channel] *= per_sample(speeds, stretched[..., channel])
        return stretched


TECHNIQUE = TimeStretch
