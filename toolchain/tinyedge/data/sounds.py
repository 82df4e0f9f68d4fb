"""Many sounds of one rate and one number of channels: what the formats of .wav files share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tinyedge.data.classes import Entry, choose_classes
from tinyedge.data.contract import Recordings
from tinyedge.data.table import DataTable
from tinyedge.data.unequal import odd_one
from tinyedge.data.wav_file import read_wav, wrong_rate
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

MOST_BYTES = 4 << 30
"""of all samples as float32"""


def read_sounds(path: Path, entries: Sequence[Entry], table: DataTable, groups: Sequence[str] = ()) -> Recordings:
    """The sounds of the chosen classes; `groups` has the subject of each entry.

    Raises: UsageError for a wrong rate, several channels that nobody wants mixed, too much, or a damaged file
    """
    chosen = choose_classes([entry.name for entry in entries], table, [entry.part for entry in entries])
    kept = [entries[number] for number in chosen.numbers]
    if not kept:
        raise UsageError(f"`{path}` holds no .wav of the classes", hint="`classes` in [data] names them")
    found: list[Array] = []
    rates: list[int] = []
    total = 0
    for entry in kept:
        sound = read_wav(path / entry.file, table)
        rates.append(sound.rate_hz)
        total += sound.values.nbytes
        if total > MOST_BYTES:
            raise UsageError(
                f"the sounds of `{path}` take more than {MOST_BYTES:,} B", hint="name fewer `classes` in [data]"
            )
        found.append(sound.values)
    _refuse_unequal(path, kept, rates, found)
    return Recordings(
        inputs={"sound": found},
        sources=[entry.file for entry in kept],
        labels=chosen.labels,
        class_names=chosen.class_names,
        groups=[groups[number] for number in chosen.numbers] if groups else [],
        parts=[entry.part for entry in kept],
        is_timed=True,
        rate_hz=rates[0],
        notes=chosen.notes,
    )


def _refuse_unequal(path: Path, entries: Sequence[Entry], rates: Sequence[int], sounds: Sequence[Array]) -> None:
    """Raises: UsageError with the file that is unlike most others."""
    if (odd := odd_one(rates)) is not None:
        wrong, usual = odd
        raise wrong_rate(path / entries[wrong].file, rates[wrong], rates[usual])
    channels = [values.shape[1] if values.ndim > 1 else 1 for values in sounds]
    if (odd := odd_one(channels)) is not None:
        wrong, usual = odd
        raise UsageError(
            f"`{path / entries[wrong].file}` has {channels[wrong]} channel{'s' if channels[wrong] > 1 else ''}, "
            f"`{path / entries[usual].file}` has {channels[usual]}",
            hint="`mono = true` in [data] mixes them down",
        )


def sound_of(path: Path, table: DataTable) -> Recordings:
    """One file by itself, without a class."""
    recordings = read_sounds(path.parent, [Entry(path.name)], replace(table, classes=()))
    return replace(recordings, labels=None, class_names=())
