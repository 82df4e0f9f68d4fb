"""Tilt: a spectrogram is made brighter or darker, as by another microphone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyedge.tables import require_range
from tinyedge.train.augment.contract import Array, Stage, per_sample


@dataclass(frozen=True)
class Tilt:
    """Adds a line over the frequencies, of another slope, to each sample [frames, frequencies, ...]."""

    name: ClassVar[str] = "tilt"
    stage: ClassVar[Stage] = "features"
    moves: ClassVar[bool] = False

    deviation: float = 0.3
    """standard deviation of what is added at the highest frequency, and taken away at the lowest"""

    def __post_init__(self) -> None:
        require_range("deviation", self.deviation, 1e-6)

    def check(self, shape: tuple[int, ...]) -> None:
        if len(shape) < 2:
            raise ValueError(f"a sample {list(shape)} has no axis of frequencies")

    def apply(self, samples: Array, random: np.random.Generator) -> Array:
        slopes = per_sample(random.normal(0, self.deviation, len(samples)), samples)
        line = np.linspace(-1, 1, samples.shape[2], dtype=np.float32)
        return samples + slopes * line.reshape(1, 1, -1, *(1 for _ in samples.shape[3:]))


TECHNIQUE = Tilt
