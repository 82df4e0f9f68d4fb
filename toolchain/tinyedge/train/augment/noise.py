"""Noise: normal noise of one strength is added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyedge.tables import require_range
from tinyedge.train.augment.contract import Array, Stage


@dataclass(frozen=True)
class Noise:
    """Adds normal noise to every value."""

    name: ClassVar[str] = "noise"
    stage: ClassVar[Stage] = "signal"
    moves: ClassVar[bool] = False

    deviation: float
    """standard deviation, in the units of the samples"""

    def __post_init__(self) -> None:
        require_range("deviation", self.deviation, 1e-9)

    def check(self, shape: tuple[int, ...]) -> None:
        del shape

    def apply(self, samples: Array, random: np.random.Generator) -> Array:
        noise = random.standard_normal(samples.shape, dtype=np.float32)
        noisy: Array = (samples + np.float32(self.deviation) * noise).astype(np.float32)
        return noisy


TECHNIQUE = Noise
