"""Made-up recordings of a motion sensor, and how they lie in files."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

_GRAVITY = 9.81


def made_up_motion(name: str, rate_hz: int, seconds: int, random: np.random.Generator) -> npt.NDArray[Any]:
    """Three axes in m/s2 [time, 3] of what nobody recorded: the movements `circle`, `shake`, `idle`, or a machine that
    runs `normal` or `anomalous`."""
    time = np.arange(rate_hz * seconds) / rate_hz
    motion = random.normal((0, 0, _GRAVITY), 0.15, (len(time), 3))
    start, pace, size = random.uniform(0, 2 * np.pi), random.uniform(0.8, 1.2), random.uniform(0.8, 1.25)
    if name == "circle":
        motion[:, 0] += 4 * size * np.cos(2 * np.pi * 1.0 * pace * time + start)
        motion[:, 1] += 4 * size * np.sin(2 * np.pi * 1.0 * pace * time + start)
    elif name == "shake":
        motion[:, 0] += 7 * size * np.sign(np.sin(2 * np.pi * 4.0 * pace * time + start))
    elif name == "normal":
        motion[:, 2] += size * np.sin(2 * np.pi * 5.0 * pace * time + start)
    elif name == "anomalous":
        motion[:, 2] += size * np.sin(2 * np.pi * 5.0 * pace * time + start)
        motion[:, 0] += 1.5 * size * np.sin(2 * np.pi * 13.0 * pace * time)
    return motion


def csv_files(name: str, motion: npt.NDArray[Any], rate_hz: int) -> dict[PurePosixPath, bytes]:
    """One recording as a .csv: the time in ms, then the axes."""
    lines = ["timestamp,ax,ay,az"]
    step = 1000 / rate_hz
    lines += [f"{at * step:g}," + ",".join(f"{value:.3f}" for value in row) for at, row in enumerate(motion)]
    return {PurePosixPath(name): ("\n".join(lines) + "\n").encode()}
