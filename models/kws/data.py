"""Speech Commands in the 12 classes of MLPerf Tiny; without a folder, made-up sounds, and every report says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyedge.data import DataTable, load_parts
from tinyedge.train.source import made_up
from tinyedge.train.splits import Splits

Floats = npt.NDArray[np.float32]

RATE_HZ = 16_000
WORDS = ("down", "go", "left", "no", "off", "on", "right", "stop", "up", "yes", "_silence_", "_unknown_")
_FRAME, _STEP, _TRANSFORM, _BANDS, _KEPT = 480, 320, 512, 40, 10
_LOWEST_HZ, _HIGHEST_HZ = 20.0, 4_000.0
_EACH = 50


def load(folder: str) -> Splits:
    """MFCC of one second at 16 kHz, by the data set's own split.

    What the model takes of a second: frames of 480 samples every 320 under a periodic Hann window, padded to 512; the
    magnitude of each in 40 triangles that lie evenly on the mel scale from 20 to 4,000 Hz; log(sum + 1e-6); the first
    10 coefficients of its orthonormal cosine transform (DCT-II); then (value - mean) / deviation, of each coefficient
    over the training.

    folder  of Speech Commands, a folder for each word; empty: made-up sounds
    """
    if not folder:
        return _made_up()
    table = DataTable(source=Path(folder), classes=WORDS, rate_hz=RATE_HZ, window=RATE_HZ, pad=True)
    parts = load_parts(table)
    found, groups = {}, {}
    for name, arrays in parts.named().items():
        (sounds,) = arrays.inputs.values()
        found[name] = (mfcc(sounds), arrays.labels)
        groups[f"{name}_groups"] = np.array(arrays.groups)
    mean, deviation = _scale(found["train"][0])
    scaled = {f"{name}_inputs": ((values - mean) / deviation)[..., None] for name, (values, _) in found.items()}
    targets = {f"{name}_targets": labels for name, (_, labels) in found.items()}
    return Splits(**scaled, **targets, **groups, class_names=WORDS, made_up=made_up(Path(folder)), notes=parts.notes)


def mfcc(sounds: Floats) -> Floats:
    """float32 [N, 16000] -> [N, 49, 10]."""
    places = np.arange(0, sounds.shape[1] - _FRAME + 1, _STEP)[:, None] + np.arange(_FRAME)
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_FRAME) / _FRAME)).astype(np.float32)
    order = np.arange(_BANDS)
    cosines = np.sqrt(2 / _BANDS) * np.cos(np.pi / _BANDS * (order[:, None] + 0.5) * np.arange(_KEPT))
    cosines[:, 0] /= np.sqrt(2)
    found = []
    for part in np.array_split(sounds, max(1, len(sounds) // 64)):
        magnitude = np.abs(np.fft.rfft(part[:, places] * hann, _TRANSFORM, axis=-1))
        found.append(np.log(magnitude @ _triangles() + 1e-6) @ cosines)
    return np.concatenate(found).astype(np.float32)


def _triangles() -> Floats:
    """Weights of the spectrum in each band: [257, 40]; a triangle rises to the middle of the next."""
    low, high = (1127 * np.log1p(hz / 700) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    edges = 700 * np.expm1(np.linspace(low, high, _BANDS + 2) / 1127)
    at = (np.arange(_TRANSFORM // 2 + 1) * RATE_HZ / _TRANSFORM)[:, None]
    rising, falling = (at - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - at) / np.diff(edges)[1:]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def _scale(values: Floats) -> tuple[Floats, Floats]:
    """(mean, deviation) of each coefficient."""
    return values.mean(axis=(0, 1)), values.std(axis=(0, 1)) + np.float32(1e-6)


def _made_up() -> Splits:
    """Two tones one after the other: each class has a pair of its own; one of them is noise alone."""
    random = np.random.default_rng(0)
    classes = np.tile(np.arange(len(WORDS)), _EACH)
    values = mfcc(np.stack([_tones(int(number), random) for number in classes]))
    train, test = slice(0, 480), slice(480, None)
    mean, deviation = _scale(values[train])
    values = ((values - mean) / deviation)[..., None].astype(np.float32)
    return Splits(
        values[train],
        classes[train],
        values[test],
        classes[test],
        class_names=WORDS,
        made_up="pairs of tones for the words",
    )


def _tones(number: int, random: np.random.Generator) -> Floats:
    time = np.arange(RATE_HZ) / RATE_HZ
    sound = random.normal(0, 0.02, RATE_HZ)
    if WORDS[number] != "_silence_":
        first, second = 250 * (1 + number % 4), 400 * (1 + number // 4)
        start = random.uniform(0.05, 0.3)
        for at, hz in ((start, first), (start + 0.3, second)):
            inside = (time >= at) & (time < at + 0.3)
            sound += inside * random.uniform(0.2, 0.6) * np.sin(2 * np.pi * hz * random.uniform(0.97, 1.03) * time)
    return sound.astype(np.float32)
