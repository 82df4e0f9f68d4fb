"""Synthetic speakers, for whoever has no recordings: what is learnt from them says little of real voices."""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyedge import process

_PROGRAM = "espeak-ng"
_VOICES = ("en-us+m1", "en-us+f2", "en-gb+m3", "en-gb+f4", "en-us+m5", "en-gb+f1")
_MANNERS = tuple((speed, pitch) for speed in (120, 145, 170, 200) for pitch in (30, 45, 60))
"""(words a minute, pitch of 0 to 99) of each take"""
_TIMEOUT_S = 60.0
"""for a word"""


def speak(words: Sequence[str]) -> Iterator[tuple[npt.NDArray[np.float32], int, int, str]]:
    """(samples in [-1, 1), rate in Hz, number of the word, speaker) of each word, voice and manner."""
    process.require(_PROGRAM, hint="name a folder of recordings by `--data DIR`, or `apt-get install espeak-ng`")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "word.wav"
        for voice in _VOICES:
            for speed, pitch in _MANNERS:
                for number, word in enumerate(words):
                    manner = ["-v", voice, "-s", str(speed), "-p", str(pitch)]
                    process.run([_PROGRAM, *manner, "-w", str(path), word], timeout_s=_TIMEOUT_S)
                    with wave.open(str(path)) as sound:
                        raw, rate = sound.readframes(sound.getnframes()), sound.getframerate()
                    yield np.frombuffer(raw, "<i2").astype(np.float32) / 32_768, rate, number, voice
