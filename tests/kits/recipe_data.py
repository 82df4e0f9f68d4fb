"""Small files in the layouts that the recipes of tinyedge read, made up."""

from __future__ import annotations

import gzip
import struct
import wave
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

SUBJECTS = range(1, 11)
EXERCISES = range(7)


def write_watch(file: Path, *, length: int = 320, **changes: Any) -> Path:
    """A recording of each exercise by each of ten people, on the right wrist where their number is odd."""
    random = np.random.default_rng(0)
    time = np.arange(length) / 50
    rows, columns = [], []
    for subject in SUBJECTS:
        side = subject % 2
        for exercise in EXERCISES:
            phase = 2 * np.pi * (0.4 + 0.15 * exercise) * time + random.uniform(0, 6)
            axes = [np.sin(phase + 0.5 * axis + exercise) * (0.4 + 0.2 * ((exercise + axis) % 3)) for axis in range(6)]
            values = np.stack(axes, axis=1) + random.normal(0, 0.05, (length, 6)) + 0.3
            rows.append(values * ([-1, 1, 1, 1, -1, -1] if side else [1] * 6))
            columns.append((exercise, subject, side))
    exercise, subject, side = (np.array(column) for column in zip(*columns, strict=True))
    fields = {"X": rows, "y": exercise, "subject": subject, "side": side.astype(float).astype(str)} | changes
    holder = np.empty((), object)
    holder[()] = fields
    np.save(file, holder, allow_pickle=True)
    return file


def write_clothes(folder: Path, train: int = 600, test: int = 100) -> Path:
    """idx files of 28x28 pictures: each class is bright in another place."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for name, count in (("train", train), ("t10k", test)):
        classes = np.arange(count) % 10
        pictures = random.integers(0, 60, (count, 28, 28))
        for picture, number in zip(pictures, classes, strict=True):
            row, column = 4 + 14 * (number // 5), 1 + 5 * (number % 5)
            picture[row : row + 8, column : column + 5] += 180
        write_idx(folder / f"{name}-images-idx3-ubyte.gz", pictures)
        write_idx(folder / f"{name}-labels-idx1-ubyte.gz", classes)
    return folder


def write_idx(file: Path, values: npt.NDArray[Any]) -> None:
    head = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    file.write_bytes(gzip.compress(head + values.astype(np.uint8).tobytes(), 1))


def write_digits(folder: Path, *, speakers: int = 3, takes: int = 2, rate_hz: int = 8_000) -> Path:
    """{digit}_{speaker}_{take}.wav: two tones for each digit, another pitch for each speaker."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for speaker in range(speakers):
        for digit in range(10):
            for take in range(takes):
                time = np.arange(int(rate_hz * random.uniform(0.3, 0.6))) / rate_hz
                tones = [
                    np.sin(2 * np.pi * hz * (1 + 0.1 * speaker) * time)
                    for hz in (300 + 150 * digit, 2000 - 120 * digit)
                ]
                write_wav(folder / f"{digit}_s{speaker}_{take}.wav", 0.3 * sum(tones), rate_hz)
    return folder


def write_wav(file: Path, values: npt.NDArray[Any], rate_hz: int) -> None:
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate_hz)
        sound.writeframes((np.clip(values, -1, 1) * 32_767).astype("<i2").tobytes())
