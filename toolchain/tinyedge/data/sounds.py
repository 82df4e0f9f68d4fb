"""Many sounds of one rate and one number of channels: what the formats of .wav files share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tinyedge.data.classes import Entry, choose_classes
from tinyedge.data.contract import Recordings
from tinyedge.data.table import DataTable
from tinyedge.data.wav_file import read_wav, wrong_rate
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

MOST_BYTES = 4 << 30
"""of all samples as float32"""


def read_sounds(path: Path, entries: Sequence[Entry], table: DataTable, groups: Sequence[str] = ()) -> Recordings:
    """The sounds of the chosen classes; `groups` has the subject of each entry.

    Raises: UsageError for a wrong rate, several channels that nobody wants mixed, too much, or a damaged file
    """
    chosen = choose_classes([entry.name for entry in entries], table)
    kept = [entries[number] for number in chosen.numbers]
    if not kept:
        raise UsageError(f"`{path}` holds no .wav of the classes", hint="`classes` in [data] names them")
    found: list[Array] = []
    rate_hz, total = 0, 0
    for entry in kept:
        file = path / entry.file
        sound = read_wav(file, table)
        if rate_hz and sound.rate_hz != rate_hz:
            raise wrong_rate(file, sound.rate_hz, rate_hz)
        if found and sound.values.shape[1:] != found[0].shape[1:]:
            told = [values.shape[1] if values.ndim > 1 else 1 for values in (sound.values, found[0])]
            raise UsageError(
                f"`{file}` has {told[0]} channel{'s' if told[0] > 1 else ''}, `{path / kept[0].file}` has {told[1]}",
                hint="`mono = true` in [data] mixes them down",
            )
        rate_hz = sound.rate_hz
        total += sound.values.nbytes
        if total > MOST_BYTES:
            raise UsageError(
                f"the sounds of `{path}` take more than {MOST_BYTES:,} B", hint="name fewer `classes` in [data]"
            )
        found.append(sound.values)
    return Recordings(
        inputs={"sound": found},
        sources=[entry.file for entry in kept],
        labels=chosen.labels,
        class_names=chosen.class_names,
        groups=[groups[number] for number in chosen.numbers] if groups else [],
        parts=[entry.part for entry in kept],
        is_timed=True,
        rate_hz=rate_hz,
        notes=chosen.notes,
    )


def sound_of(path: Path, table: DataTable) -> Recordings:
    """One file by itself, without a class."""
    recordings = read_sounds(path.parent, [Entry(path.name)], replace(table, classes=()))
    return replace(recordings, labels=None, class_names=())
