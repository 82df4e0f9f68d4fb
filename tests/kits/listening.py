"""Small networks that listen, with what stands beside them, and recordings for them."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from kits.tflite_builder import TfliteBuilder

SHAKE = """
classes = ["still", "shaken", "turned"]

[features]
kind = "imu"
rate_hz = 50
axes = 3
values = ["mean", "std", "mean_difference", "crossings", "bands"]
window = 16
stride = 8
bands_hz = [1, 6, 25]
counts = 8192

[stream]
stride_ms = 320
average = 2
threshold = 0.05
suppress_ms = 600
"""
SHAKE_ROWS, SHAKE_CHANNELS = 4, 18
TONE = """
[features]
kind = "spectrum"
rate_hz = 8000
counts = 32768
window = 200
stride = 120
bands = 10
spacing = "log"
low_hz = 80

[stream]
average = 3
threshold = 0.06
"""
TONE_ROWS, TONE_CHANNELS = 12, 10


def dense(rows: int, channels: int, scale: float, classes: int = 3, seed: int = 5) -> bytes:
    """int8 [1, rows, channels, 1] -> fully_connected -> softmax of `classes`."""
    lot = np.random.default_rng(seed)
    builder = TfliteBuilder()
    source = builder.tensor([1, rows, channels, 1], scale=scale, zero_point=-20, name="rows")
    count = rows * channels
    weights = builder.tensor([classes, count], scale=0.02, data=lot.integers(-127, 128, (classes, count), np.int8))
    logits = builder.tensor([1, classes], scale=scale * 8, zero_point=3, name="logits")
    builder.operator("fully_connected", [source, weights, -1], [logits])
    chances = builder.tensor([1, classes], scale=1 / 256, zero_point=-128, name="chances")
    builder.operator("softmax", [logits], [chances], beta=1.0)
    return builder.build([source], [chances])


def write_shake(folder: Path) -> tuple[Path, Path]:
    """(model, recording): motion of three axes in g, 12 s."""
    model = folder / "shake.tflite"
    model.write_bytes(dense(SHAKE_ROWS, SHAKE_CHANNELS, 0.004))
    (folder / "shake.model.toml").write_text(SHAKE)
    lot = np.random.default_rng(2)
    time = np.arange(600) / 50
    swing = np.where(np.sin(time) > 0.3, 1.5, 0.02)[:, None] * np.sin(2 * np.pi * 4 * time)[:, None] * [1, 0.5, -0.3]
    rows = swing + np.array([0, 0, 1]) + lot.normal(0, 0.01, (600, 3))
    lines = [f"{20 * n}," + ",".join(f"{value:.4f}" for value in row) for n, row in enumerate(rows)]
    recording = folder / "shake.csv"
    recording.write_text("timestamp,ax,ay,az\n" + "\n".join(lines) + "\n")
    return model, recording


def write_tone(folder: Path, seconds: float = 1.5, rate_hz: int = 8000) -> tuple[Path, Path]:
    """(model, recording): a tone that rises and stops, as sound."""
    model = folder / "tone.tflite"
    model.write_bytes(dense(TONE_ROWS, TONE_CHANNELS, 0.7))
    (folder / "tone.model.toml").write_text(TONE)
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    sound = 9000 * np.sin(2 * np.pi * (200 + 400 * time) * time) * (np.sin(9 * time) > 0)
    noise = np.random.default_rng(4).normal(0, 60, len(time))
    recording = folder / "tone.wav"
    write_wav(recording, np.rint(sound + noise).astype(np.int16), rate_hz)
    return model, recording


def write_wav(path: Path, samples: np.ndarray[tuple[int, ...], np.dtype[np.int16]], rate_hz: int) -> None:
    """Sound of one channel."""
    with wave.open(str(path), "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(rate_hz)
        opened.writeframes(samples.astype("<i2").tobytes())
