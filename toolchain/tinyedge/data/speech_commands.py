"""Speech Commands' layout: a folder of .wav for each word, lists of files for test and validation or a hash of names.

Source: Pete Warden, Speech Commands: A Dataset for Limited-Vocabulary Speech Recognition (2018), and the README of the
        data set: `testing_list.txt`, `validation_list.txt`, `which_set` by SHA-1 of the name before `_nohash_`
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from tinyedge.data.classes import SILENCE, SOUNDS, Entry, is_document
from tinyedge.data.contract import Recordings
from tinyedge.data.files import list_files
from tinyedge.data.sounds import read_sounds
from tinyedge.data.table import DataTable
from tinyedge.data.wav_file import read_wav, wrong_rate
from tinyedge.errors import UsageError

NOISE = "_background_noise_"
_LISTS = {"testing_list.txt": "test", "validation_list.txt": "validation"}
_NO_HASH = re.compile(r"_nohash_.*$")
_MOST_WAVS_PER_CLASS = 2**27 - 1
_PERCENT = 10.0
"""of the validation, and of the test"""
_HASHED = re.compile(r"[0-9a-f]{8}_nohash_[0-9]+\.wav")


def which_set(name: str, validation_percent: float = _PERCENT, test_percent: float = _PERCENT) -> str:
    """The part of a file by its name, as the data set's own `which_set` says it.

    >>> which_set("0a7c2a8d_nohash_0.wav") == which_set("0a7c2a8d_nohash_3.wav")
    True
    """
    hashed = hashlib.sha1(_NO_HASH.sub("", PurePosixPath(name).name).encode(), usedforsecurity=False).hexdigest()
    percent = (int(hashed, 16) % (_MOST_WAVS_PER_CLASS + 1)) * (100.0 / _MOST_WAVS_PER_CLASS)
    if percent < validation_percent:
        return "validation"
    return "test" if percent < validation_percent + test_percent else "train"


class _SpeechCommands:
    title = "Speech Commands"
    layout = "`word/{speaker}_nohash_{take}.wav`, `_background_noise_/*.wav`"
    split = "`testing_list.txt` and `validation_list.txt`, else the hash of the name; the speaker is the subject"
    is_general = False

    def recognizes(self, path: Path, head: bytes, names: Sequence[str]) -> bool:
        if any(name in _LISTS or name.startswith(f"{NOISE}/") for name in names):
            return True
        return any(_HASHED.fullmatch(PurePosixPath(name).name) for name in names)

    def read(self, path: Path, table: DataTable) -> Recordings:
        listed = _listed(path)
        entries, speakers, noises = [], [], []
        for file in list_files(path):
            pure = PurePosixPath(file)
            if file in _LISTS or is_document(file):
                continue
            if pure.suffix.lower() not in SOUNDS or len(pure.parts) != 2:
                raise UsageError(
                    f"`{path / file}` is a stray file: the others are `word/*.wav`",
                    hint="move it away; a README may stay",
                )
            if pure.parts[0] == NOISE:
                noises.append(file)
                continue
            speaker = _NO_HASH.sub("", pure.stem)
            entries.append(Entry(file, pure.parts[0], listed.get(file, "train") if listed else which_set(file)))
            speakers.append(f"speaker {speaker}" if "_nohash_" in pure.name else "")
        wanted = tuple(name for name in table.classes if name != SILENCE)
        plain = replace(table, classes=wanted) if SILENCE in table.classes else table
        recordings = read_sounds(path, entries, plain, speakers)
        return _with_silence(recordings, path, noises, table) if SILENCE in table.classes else recordings


def _listed(path: Path) -> dict[str, str]:
    """File -> part, of the lists. Raises: UsageError for a file in both, or one that is not there."""
    found: dict[str, str] = {}
    for name, part in _LISTS.items():
        if not (path / name).is_file():
            continue
        try:
            lines = (path / name).read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise UsageError(
                f"`{path / name}` is no text in UTF-8: {error.reason} at byte {error.start:,}",
                hint="unpack the set again",
            ) from error
        for number, line in enumerate(lines, 1):
            file = line.strip()
            if not file:
                continue
            if found.get(file, part) != part:
                raise UsageError(
                    f"`{path / name}`, line {number}: `{file}` is in {found[file]} and in {part}",
                    hint="a recording belongs to one part",
                )
            if not (path / file).is_file():
                raise UsageError(f"`{path / name}`, line {number}: there is no `{file}`", hint="unpack the set again")
            found[file] = part
    return found


def _with_silence(recordings: Recordings, path: Path, noises: list[str], table: DataTable) -> Recordings:
    """The class `_silence_`, a second each, out of the files of noise: as many as the largest class has, or as there
    are. Each file of noise is a group of its own."""
    if not noises:
        raise UsageError(
            f"`{SILENCE}` is listed, and `{path}` has no `{NOISE}/*.wav`", hint="leave it out of `classes`"
        )
    assert recordings.labels is not None
    assert recordings.rate_hz is not None
    most = int(np.bincount(recordings.labels).max())
    second = round(recordings.rate_hz)
    pieces, sources, groups = [], [], []
    for file in noises:
        sound = read_wav(path / file, table)
        if sound.rate_hz != second:
            raise wrong_rate(path / file, sound.rate_hz, second)
        for start in range(0, len(sound.values) - second + 1, second):
            pieces.append(sound.values[start : start + second])
            sources.append(f"{file}[{start}]")
            groups.append(file)
    step = max(1, -(-len(pieces) // most))
    pieces, sources, groups = pieces[::step], sources[::step], groups[::step]
    names = recordings.class_names
    moved = {number: table.classes.index(name) for number, name in enumerate(names)}
    labels = [moved[int(label)] for label in recordings.labels] + [table.classes.index(SILENCE)] * len(pieces)
    return replace(
        recordings,
        inputs={"sound": [*recordings.inputs["sound"], *pieces]},
        sources=[*recordings.sources, *sources],
        groups=[*recordings.groups, *groups],
        parts=[*recordings.parts, *_noise_parts(groups)],
        labels=np.array(labels, np.int64),
        class_names=table.classes,
    )


def _noise_parts(groups: list[str]) -> list[str]:
    """Whole files of noise, in the order of a hash: the second for the test, the third for the validation, the others
    for the training."""
    ordered = sorted(set(groups), key=lambda name: hashlib.sha256(name.encode()).digest())
    return [{1: "test", 2: "validation"}.get(ordered.index(group), "train") for group in groups]


FORMAT = _SpeechCommands()
