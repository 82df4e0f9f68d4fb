"""Noise mix: recorded, white or brown noise is added to a signal, at a ratio between the two."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from tinyedge.data import DataTable, load_recordings
from tinyedge.errors import UsageError
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
    source: str = ""
    """folder of .wav, or one .wav, relative to the recipe: noise is cut out of these recordings, and none is drawn"""
    rate_hz: float = 0.0
    """samples a second of the signals, which the recordings of `source` must have"""

    def __post_init__(self) -> None:
        require_range("lowest_db", self.lowest_db, -40, 120)
        require_range("highest_db", self.highest_db, self.lowest_db, 120)
        require_range("brown", self.brown, 0, 1)
        if self.source:
            require_range("rate_hz", self.rate_hz, 1, 1e9)

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises: UsageError as well, when `source` holds no sounds, or some of another rate."""
        if self.source:
            if len(shape) > 2:
                raise ValueError(f"sounds of `source` are no noise for a sample {list(shape)}")
            _recordings(self.source, self.rate_hz)

    def apply(self, samples: Array, random: np.random.Generator) -> Array:
        noise = self._recorded(samples, random) if self.source else self._drawn(samples, random)
        ratios = random.uniform(self.lowest_db, self.highest_db, len(samples))
        axes = tuple(range(1, samples.ndim))
        strength = np.sqrt(np.mean(np.square(samples), axis=axes)) * 10 ** (-ratios / 20)
        mixed: Array = (samples + noise * per_sample(strength, samples)).astype(np.float32)
        return mixed

    def _drawn(self, samples: Array, random: np.random.Generator) -> Array:
        noise = random.standard_normal(samples.shape, dtype=np.float32)
        brown = random.random(len(samples)) < self.brown
        noise[brown] = _brown(noise[brown])
        return noise

    def _recorded(self, samples: Array, random: np.random.Generator) -> Array:
        """A piece of a recording for each sample, at any place of it, of power 1; the same for all of its axes."""
        recordings = _recordings(self.source, self.rate_hz)
        which = random.integers(0, len(recordings), len(samples))
        places = random.random(len(samples))
        noise = np.empty(samples.shape[:2], np.float32)
        for row, recording, place in zip(noise, which, places, strict=True):
            sound = recordings[recording]
            if len(sound) < len(row):  # it comes again and again
                row[:] = np.resize(np.roll(sound, int(place * len(sound))), len(row))
            else:
                first = int(place * (len(sound) - len(row) + 1))
                row[:] = sound[first : first + len(row)]
        noise /= np.maximum(np.sqrt(np.mean(np.square(noise), axis=1, keepdims=True)), 1e-9)
        return noise.reshape(*noise.shape, *(1 for _ in samples.shape[2:]))


@functools.cache
def _recordings(source: str, rate_hz: float) -> tuple[Array, ...]:
    """The sounds, each float32 [time]. Raises: UsageError."""
    found = load_recordings(DataTable(source=Path(source), mono=True, rate_hz=rate_hz))
    sounds = tuple(np.asarray(sound) for sound in found.inputs.get("sound", ()))
    if not sounds:
        raise UsageError(f"`{source}` holds no sounds for `noise_mix`", hint="give a folder of .wav")
    if silent := [name for name, sound in zip(found.sources, sounds, strict=True) if not sound.any()]:
        raise UsageError(f"`{source}/{silent[0]}` is silent: there is no noise in it", hint="leave the file out")
    return sounds


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
