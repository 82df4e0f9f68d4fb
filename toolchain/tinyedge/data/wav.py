"""Sounds: a folder of .wav for each class, or one .wav."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyedge.data.classes import SOUNDS, class_entries, has_most
from tinyedge.data.contract import Recordings
from tinyedge.data.sounds import read_sounds, sound_of
from tinyedge.data.table import DataTable
from tinyedge.data.wav_file import is_wav


class _Wav:
    title = "a folder of .wav"
    layout = "`class/*.wav`, PCM of 8, 16, 24 or 32 bits or floats; or one .wav"
    split = "`train/class/*.wav` and `test/class/*.wav`"
    is_general = True

    def recognizes(self, path: Path, head: bytes, names: Sequence[str]) -> bool:
        return is_wav(head) or has_most(names, SOUNDS)

    def read(self, path: Path, table: DataTable) -> Recordings:
        if path.is_file():
            return sound_of(path, table)
        return read_sounds(path, class_entries(path, SOUNDS, ".wav"), table)


FORMAT = _Wav()
