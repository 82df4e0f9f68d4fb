"""Noise mix: white or brown noise is added to a signal, at a ratio between the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyedge.tables import require_range
from tinyedge.train.augment.contract import Array, Stage, per_sample

_DRIFT = 400
"""samples over which brown noise is taken back to its mean"""


@dataclass(frozen=True)
class NoiseMix:
    """Mixes noise into each sample, at another ratio of signal to noise."""

    name: ClassVar[str] = "noise_mix"
    stage: ClassVar[Stage] = "signal"
    moves: ClassVar[bool] = False

    lowest_db: float = 8.0
    """smallest ratio of signal to noise, in dB"""
    highest_db: float = 45.0
    """largest ratio of signal to noise, in dB"""
    brown: float = 0.5
    """share of the samples with brown noise, which is strong at low frequencies; the others get white noise"""

    def __post_init__(self) -> None:
        require_range("lowest_db", self.lowest_db, -40, 120)
        require_range("highest_db", self.highest_db, self.lowest_db, 120)
        require_range("brown", self.brown, 0, 1)

    def check(self, shape: tuple[int, ...]) -> None:
        del shape

    def apply(self, samples: Array, random: np.random.Generator) -> Array:
        noise = random.standard_normal(samples.shape, dtype=np.float32)
        brown = random.random(len(samples)) < self.brown
        noise[brown] = _brown(noise[brown])
        ratios = random.uniform(self.lowest_db, self.highest_db, len(samples))
        axes = tuple(range(1, samples.ndim))
        strength = np.sqrt(np.mean(np.square(samples), axis=axes)) * 10 ** (-ratios / 20)
        return (samples + noise * per_sample(strength, samples)).astype(np.float32)


def _brown(white: Array) -> Array:
    """Noise that wanders, of deviation 1, with what is slower than `_DRIFT` samples taken out.

    Shape:  [N, length, ...] -> the same
    """
    if not white.size:
        return white
    walk = np.cumsum(white, axis=1)
    width = min(_DRIFT, white.shape[1])
    sums = np.concatenate([np.zeros_like(walk[:, :1]), np.cumsum(walk, axis=1, dtype=np.float64)], axis=1)
    at = np.arange(white.shape[1])
    low, high = np.maximum(at - width // 2, 0), np.minimum(at + width // 2 + 1, white.shape[1])
    walk -= (sums[:, high] - sums[:, low]) / (high - low).reshape(-1, *(1 for _ in white.shape[2:]))
    deviation = walk.std(axis=tuple(range(1, walk.ndim)))
    return walk / per_sample(np.maximum(deviation, 1e-9), walk)


TECHNIQUE = NoiseMix
