"""Signals that features are tried on: silence, full scale, impulses, sweeps, noise of every loudness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Rng = np.random.Generator


def structured(count: int, rate_hz: int = 16_000) -> dict[str, Array]:
    """Signals of `count` samples, int16, by what they are."""
    t = np.arange(count) / rate_hz
    nyquist = rate_hz / 2
    found = {
        "silence": np.zeros(count),
        "lowest": np.full(count, -32768.0),
        "highest": np.full(count, 32767.0),
        "alternating": np.where(np.arange(count) % 2, -32768.0, 32767.0),
        "square": np.where(np.sin(2 * np.pi * 440 * t) < 0, -32768.0, 32767.0),
        "impulses": np.where(np.arange(count) % (rate_hz // 10) == 7, -32768.0, 0.0),
        "single": np.where(np.arange(count) == count // 3, 1.0, 0.0),
        "offset": np.full(count, 1.0),
        "sweep": 30000 * np.sin(np.pi * nyquist * t * t / t[-1]),
        "quiet sweep": 10 * np.sin(np.pi * nyquist * t * t / t[-1]),
        "tone": 32767 * np.sin(2 * np.pi * 1000 * t),
        "two tones": 20000 * np.sin(2 * np.pi * 300 * t) + 20 * np.sin(2 * np.pi * 0.4 * rate_hz * t),
        "bursts": 15000 * np.sin(2 * np.pi * 250 * t) * (np.sin(2 * np.pi * 4 * t) > 0.5),
    }
    return {name: np.clip(np.round(values), -32768, 32767).astype(np.int16) for name, values in found.items()}


def random_signals(seed: int, count: int, number: int) -> Iterator[Array]:
    """So many signals of `count` samples: noise, tones in it, sums that clip, of loudnesses from one step on."""
    rng = np.random.default_rng(seed)
    for _ in range(number):
        loudness = 2.0 ** rng.uniform(0, 16)
        values = rng.normal(0, 1, count) * rng.uniform(0, 1)
        for _ in range(int(rng.integers(0, 4))):
            values = values + np.sin(rng.uniform(0.001, np.pi) * np.arange(count) + rng.uniform(0, 6))
        if rng.random() < 0.2:
            values = rng.choice([-1.0, 0.0, 1.0], count)
        yield np.clip(np.round(values * loudness), -32768, 32767).astype(np.int16)
