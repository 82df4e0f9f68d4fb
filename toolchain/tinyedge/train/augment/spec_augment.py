"""SpecAugment: bands of time and of frequency are covered in a spectrogram.

Source: Park et al., "SpecAugment: A Simple Data Augmentation Method for Automatic Speech Recognition" (2019)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyedge.tables import require_range
from tinyedge.train.augment.contract import Array, Stage


@dataclass(frozen=True)
class SpecAugment:
    """Covers one band of frames and one of frequencies in each sample [frames, frequencies, ...]."""

    name: ClassVar[str] = "spec_augment"
    stage: ClassVar[Stage] = "features"
    moves: ClassVar[bool] = False

    frames: int = 10
    """widest band of frames"""
    frequencies: int = 6
    """widest band of frequencies"""
    fill: float = 0.0
    """value of what is covered: 0 is the mean of standardized features"""

    def __post_init__(self) -> None:
        require_range("frames", self.frames, 0)
        require_range("frequencies", self.frequencies, 0)

    def check(self, shape: tuple[int, ...]) -> None:
        if len(shape) < 2 or self.frames >= shape[0] or self.frequencies >= shape[1]:
            raise ValueError(
                f"bands of {self.frames} frames and {self.frequencies} frequencies do not fit into {list(shape)}"
            )

    def apply(self, samples: Array, random: np.random.Generator) -> Array:
        covered = samples.copy()
        for axis, widest in ((1, self.frames), (2, self.frequencies)):
            length = samples.shape[axis]
            widths = random.integers(0, widest + 1, len(samples))
            starts = (random.random(len(samples)) * (length - widths + 1)).astype(np.int64)
            at = np.arange(length)
            band = (at >= starts[:, None]) & (at < (starts + widths)[:, None])
            shape = [len(samples), *(1 for _ in samples.shape[1:])]
            shape[axis] = length
            covered = np.where(band.reshape(shape), np.float32(self.fill), covered)
        return covered


TECHNIQUE = SpecAugment
