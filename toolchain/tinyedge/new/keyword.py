"""Words and other sounds: one class for each recording of about a second."""

from __future__ import annotations

import io
import wave
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.arithmetic.fft import LENGTHS
from tinyedge.boards import Board
from tinyedge.new.contract import Found, Proposal
from tinyedge.new.shared import data_table, facts_of, fit_table, merged
from tinyedge.new.sizing import Layer, chain, fit_width, scaled

_CLASSES = ("no", "noise", "yes")
_RATE_HZ = 8000
_PITCHES_HZ = {"no": 150.0, "yes": 900.0}
_SPEAKERS = ("anna", "ben", "cleo", "dora", "emil", "fred")
_LONGEST_S = 1.0
_FRAME_S, _STEP_S, _BANDS = 0.03, 0.02, 40
"""of the features: so long a piece of sound, every so often, in so many bands"""
_STEPS = ((16, 3, 2), (24, 3, 2), (32, 3, 2), (48, 1, 1))
"""(channels, kernel, stride) of the convolutions"""


class _Keyword:
    name = "keyword"
    title = "tells words and other sounds apart"
    sort = "sound"
    assumed = Found(
        "sound",
        (),
        _CLASSES,
        lengths=(_RATE_HZ,) * 3,
        rate_hz=float(_RATE_HZ),
        group=r"([a-z]+)_[0-9]+\.wav$",
        subjects=len(_SPEAKERS),
    )
    layout = tuple(
        (f"{name}/*.wav", f"recordings of `{name}`, about a second each, all at one rate") for name in _CLASSES
    )

    def propose(self, found: Found | None, board: Board) -> Proposal:
        assert found is not None
        assert found.rate_hz is not None
        cut, why = _window(found)
        samples, rate = cut["window"], found.rate_hz
        features, of_features = _features(found)
        rows = 1 + (samples - _whole(_FRAME_S, rate)) // _whole(_STEP_S, rate)
        width, size = fit_width(lambda width: _layers(rows, width, len(found.classes)), board)
        data, fit = data_table(found), fit_table(found, 40, 0.003)
        values, reasons = merged(
            ({"data": data[0] | cut}, data[1] | why),
            ({"features": features}, of_features),
            ({"fit": fit[0]}, fit[1]),
            (
                {
                    "augment": [
                        {"technique": "shift", "most": max(1, samples // 10)},
                        {"technique": "gain", "lowest": 0.3, "highest": 1.5},
                        {"technique": "noise_mix"},
                    ]
                },
                {
                    "augment.shift.most": "a tenth of the window: nobody starts to speak at the same moment twice",
                    "augment.gain.lowest": "people speak up to ten times more quietly than others",
                    "augment.noise_mix.lowest_db": "rooms are never silent",
                },
            ),
        )
        return Proposal(
            "words and other sounds, told apart",
            {"task": "classification", **values},
            reasons,
            {
                "channels": [scaled(outputs, width) for outputs, _, _ in _STEPS],
                "kernels": [kernel for _, kernel, _ in _STEPS],
                "strides": [stride for _, _, stride in _STEPS],
            },
            (
                *facts_of(found, f"sounds at {found.rate_hz or 0:,.0f} Hz"),
                ("features", f"log_mel: {rows} rows of {_BANDS} bands"),
                ("network", f"convolutions over time and frequency: {size}"),
            ),
        )

    def example(self) -> Mapping[PurePosixPath, bytes]:
        random = np.random.default_rng(5)
        return {
            PurePosixPath(f"{name}/{speaker}_{take}.wav"): wav(
                _made_up_sound(name, 1 + 0.06 * number, random), _RATE_HZ
            )
            for name in _CLASSES
            for number, speaker in enumerate(_SPEAKERS)
            for take in (1, 2, 3)
        }


def _layers(rows: int, width: float, classes: int) -> list[Layer]:
    steps = [(scaled(outputs, width), (kernel, kernel), (stride, stride)) for outputs, kernel, stride in _STEPS]
    return chain(rows, _BANDS, 1, steps, max(2, classes))


def _features(found: Found) -> tuple[dict[str, Any], dict[str, str]]:
    """[features] at the rate of the recordings: whole samples a frame and a step, bands as far as the rate goes."""
    assert found.rate_hz is not None
    rate = round(found.rate_hz)
    values = {
        "kind": "log_mel",
        "rate_hz": rate,
        "window_ms": 1000 * _whole(_FRAME_S, rate) / rate,
        "stride_ms": 1000 * _whole(_STEP_S, rate) / rate,
        "channels": _BANDS,
        "high_hz": min(7500.0, 0.475 * rate),
    }
    return values, {
        "features": "how loud each band of frequencies is, again and again: the same C computes it in training, in the "
        "emulator and on the board",
        "features.log_mel.rate_hz": "that of the recordings; the device's microphone must have it too",
    }


def _whole(seconds: float, rate_hz: float) -> int:
    """Samples of a frame or a step; at rates that no microphone needs less than that, as far as a transform goes.

    >>> _whole(0.03, 16_000), _whole(0.03, 192_000)
    (480, 4096)
    """
    return min(round(seconds * rate_hz), LENGTHS[-1])


def _window(found: Found) -> tuple[dict[str, Any], dict[str, str]]:
    """A second at most; recordings of less are filled with zeros, and of more are cut."""
    assert found.lengths is not None
    assert found.rate_hz is not None
    shortest, _, longest = found.lengths
    rate = found.rate_hz
    spread = f"recordings are {shortest / rate:.2f} to {longest / rate:.2f} s long"
    window = max(min(longest, round(_LONGEST_S * rate)), 4 * _whole(_FRAME_S, rate))
    values: dict[str, Any] = {"window": window}
    reasons = {"data.window": f"{spread}; a word takes less than a second"}
    if shortest < window:
        values["pad"] = True
        reasons["data.pad"] = "shorter recordings are filled with silence"
    if longest >= 2 * window:
        values["stride"] = window // 2
        reasons["data.stride"] = "half a window: a word that one window cuts in two is whole in the next"
    return values, reasons


def _made_up_sound(name: str, voice: float, random: np.random.Generator) -> npt.NDArray[Any]:
    """Half a second that nobody spoke, in [-1, 1]: noise, or a tone that falls, high for `yes` and low for `no`.

    voice  raises the pitch of both
    """
    time = np.arange(_RATE_HZ) / _RATE_HZ
    begin = random.uniform(0.1, 0.4)
    inside = np.clip((time - begin) / 0.5, 0, 1)
    loud = np.sin(np.pi * inside) * random.uniform(0.3, 0.8)
    sound = random.normal(0, 0.01, _RATE_HZ)
    if name == "noise":
        return np.clip(sound + loud * random.normal(0, 0.3, _RATE_HZ), -1, 1)
    pitch = _PITCHES_HZ[name] * voice * random.uniform(0.95, 1.05) * (1.2 - 0.4 * inside)
    phase = 2 * np.pi * np.cumsum(pitch) / _RATE_HZ
    tone = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 4)) / 2
    return np.clip(sound + loud * tone, -1, 1)


def wav(sound: npt.NDArray[Any], rate_hz: int) -> bytes:
    """One channel as a .wav of 16 bits.

    >>> wav(np.zeros(4), 8000)[:4]
    b'RIFF'
    """
    stream = io.BytesIO()
    with wave.open(stream, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return stream.getvalue()


TEMPLATE = _Keyword()
