"""Sounds of a toy car, normal and broken; without a folder, made-up hums, and every report says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyedge.data import DataTable
from tinyedge.data.wav_file import read_wav
from tinyedge.errors import UsageError
from tinyedge.train.source import made_up
from tinyedge.train.splits import Splits

Floats = npt.NDArray[np.float32]

RATE_HZ = 16_000
_FRAME, _STEP, _BANDS, _FRAMES = 1_024, 512, 128, 5
_EVERY = 10
"""windows of a recording of which one is taken"""
_VALIDATED = 10
"""one of so many recordings of the training is for the threshold instead"""


def load(folder: str) -> Splits:
    """Windows of five frames; those of one recording are in one split.

    What the model takes: frames of 1,024 samples every 512 under a periodic Hann window; the power of each in 128
    triangles that lie evenly on the mel scale from 0 to 8,000 Hz; 10 log10(sum + 1e-10); five frames one behind the
    other; then (value - mean) / deviation, of all values of the training.

    folder  `ToyCar` of the DCASE 2020 development set: train/normal_*.wav, test/normal_*.wav and test/anomaly_*.wav;
            empty: made-up sounds
    """
    if folder:
        sounds = {part: _read(Path(folder), part) for part in ("train", "test")}
        said = made_up(Path(folder))
    else:
        sounds, said = _made_up(), "hums, broken ones with a rattle"
    chosen = {"train": [], "validation": [], "test": sounds["test"]}
    for number, each in enumerate(sounds["train"]):
        chosen["validation" if number % _VALIDATED == 0 else "train"].append(each)
    parts = {name: _windows(members) for name, members in chosen.items()}
    mean, deviation = parts["train"][0].mean(), parts["train"][0].std()
    found = {}
    for name, (values, states, recordings) in parts.items():
        scaled = ((values - mean) / deviation).astype(np.float32)
        found |= {f"{name}_inputs": scaled, f"{name}_targets": states, f"{name}_groups": recordings}
    return Splits(**found, class_names=("normal", "anomaly"), made_up=said)


def log_mel(sound: Floats) -> Floats:
    """float32 [time] -> [windows, 640]."""
    places = np.arange(0, len(sound) - _FRAME + 1, _STEP)[:, None] + np.arange(_FRAME)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FRAME) / _FRAME)
    power = np.abs(np.fft.rfft(sound[places] * hann, axis=-1)) ** 2
    frames = 10 * np.log10(power @ _triangles() + 1e-10)
    starts = np.arange(0, len(frames) - _FRAMES + 1, _EVERY)
    return frames[starts[:, None] + np.arange(_FRAMES)].reshape(len(starts), -1).astype(np.float32)


def _triangles() -> Floats:
    """Weights of the spectrum in each band: [513, 128]; a triangle rises to the middle of the next."""
    edges = 700 * np.expm1(np.linspace(0, 1127 * np.log1p(RATE_HZ / 2 / 700), _BANDS + 2) / 1127)
    at = (np.arange(_FRAME // 2 + 1) * RATE_HZ / _FRAME)[:, None]
    rising, falling = (at - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - at) / np.diff(edges)[1:]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def _windows(sounds: list[tuple[str, Floats, int]]) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.str_]]:
    """(windows, their states, their recordings) of (name, samples, state)."""
    values = [log_mel(samples) for _, samples, _ in sounds]
    counts = [len(each) for each in values]
    states = np.repeat(np.array([state for _, _, state in sounds], np.int64), counts)
    return np.concatenate(values), states, np.repeat(np.array([name for name, _, _ in sounds]), counts)


def _read(folder: Path, part: str) -> list[tuple[str, Floats, int]]:
    """The recordings of a part. Raises: UsageError."""
    files = sorted((folder / part).glob("*.wav"))
    if not files:
        raise UsageError(
            f"`{folder / part}` holds no .wav",
            hint="name the folder of a machine, as ToyCar, with normal_*.wav and anomaly_*.wav in train and test",
        )
    for file in files:
        if not file.name.startswith(("normal", "anomaly")):
            raise UsageError(
                f"`{file}` says neither that it is normal nor an anomaly",
                hint="name it normal_*.wav or anomaly_*.wav, or move it away",
            )
    table = DataTable(source=folder, rate_hz=RATE_HZ)
    return [
        (
            f"{part}/{file.name}",
            np.asarray(read_wav(file, table).values, np.float32).reshape(-1),
            int(file.name.startswith("anomaly")),
        )
        for file in files
    ]


def _made_up() -> dict[str, list[tuple[str, Floats, int]]]:
    random = np.random.default_rng(0)
    train = [(f"train/{number}", _hum(random, rattle=False), 0) for number in range(30)]
    test = [(f"test/{number}", _hum(random, rattle=number % 2 == 1), number % 2) for number in range(20)]
    return {"train": train, "test": test}


def _hum(random: np.random.Generator, *, rattle: bool) -> Floats:
    """Two seconds of a motor: a tone with overtones, and noise; a broken one knocks thirty times a second."""
    time = np.arange(2 * RATE_HZ) / RATE_HZ
    hz = random.uniform(180, 220)
    sound = sum(0.2 / order * np.sin(2 * np.pi * order * hz * time + random.uniform(0, 6)) for order in range(1, 6))
    sound = sound + random.normal(0, 0.02, len(time))
    if rattle:
        sound += 0.15 * random.normal(0, 1, len(time)) * (np.sin(2 * np.pi * 30 * time) > 0.8)
    return np.asarray(sound, np.float32)
