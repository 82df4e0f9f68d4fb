"""A folder of CSV, a recording a file: in folders of classes, or with the class in a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyedge.data.classes import CSVS, choose_classes, class_entries, has_most
from tinyedge.data.contract import Recordings
from tinyedge.data.csv_file import CsvFile, read_csv
from tinyedge.data.table import DataTable
from tinyedge.data.unequal import odd_one, odd_rate
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

_MOST_NOTES = 3


class _CsvFolder:
    title = "a folder of .csv"
    layout = "`class/*.csv`, a recording a file, with a header or without; or `*.csv` with a column of the class"
    split = "`train/class/*.csv` and `test/class/*.csv`; `group` may be a column"
    is_general = True

    def recognizes(self, path: Path, head: bytes, names: Sequence[str]) -> bool:
        return has_most(names, CSVS)

    def read(self, path: Path, table: DataTable) -> Recordings:
        entries = class_entries(path, CSVS, ".csv")
        read = [(entry, read_csv(path / entry.file)) for entry in entries]
        found: list[_Piece] = []
        for entry, file in read:
            found += _pieces(file, table, entry.file, entry.name, entry.part)
        _refuse_unequal(found)
        chosen = choose_classes([piece.name for piece in found], table)
        kept = [found[number] for number in chosen.numbers]
        notes = tuple(note for piece in kept for note in piece.notes)
        return Recordings(
            inputs={"values": [piece.values for piece in kept]},
            sources=[piece.source for piece in kept],
            labels=chosen.labels,
            class_names=chosen.class_names,
            groups=[piece.group for piece in kept] if any(piece.group for piece in kept) else [],
            parts=[piece.part for piece in kept],
            is_timed=True,
            rate_hz=kept[0].rate_hz,
            axes=kept[0].axes,
            columns=read[0][1].columns,
            notes=(*chosen.notes, *notes[:_MOST_NOTES]),
        )


@dataclass(frozen=True, eq=False)
class _Piece:
    """Rows that follow each other and are of one class and subject."""

    path: Path
    values: Array
    source: str
    name: str
    group: str
    part: str
    rate_hz: float | None
    axes: tuple[str, ...]
    notes: tuple[str, ...]


def _refuse_unequal(pieces: Sequence[_Piece]) -> None:
    """Raises: UsageError with the file whose columns, or rate, are not those of most others."""
    if (odd := odd_one([piece.axes for piece in pieces])) is not None:
        wrong, usual = (pieces[number] for number in odd)
        missing = next((each for each in usual.axes if each not in wrong.axes), None)
        what = f"no column `{missing}`" if missing else f"{len(wrong.axes)} columns, not {len(usual.axes)}"
        raise UsageError(
            f"`{wrong.path}` has {what}: other files have {', '.join(usual.axes)}",
            hint=f"it has {', '.join(wrong.axes)}; `columns` in [data] names those that are read",
        )
    timed = [piece for piece in pieces if piece.rate_hz]
    rates = [piece.rate_hz or 0.0 for piece in timed]
    if timed and (odd := odd_rate(rates)) is not None:
        (path, rate), (other, usual_rate) = ((timed[number].path, rates[number]) for number in odd)
        raise UsageError(
            f"`{path}` has {rate:.4g} rows a second, `{other}` {usual_rate:.4g}",
            hint="resample it; all recordings have one rate",
        )


def _pieces(file: CsvFile, table: DataTable, source: str, name: str, part: str) -> list[_Piece]:
    """The recordings of one file: itself, or a run for each change of the class or the subject in it.

    Runs of one file are of one group, the file, where no column names the subject.
    """
    label = "" if name else file.label_column(table)
    group = file.group_column(table)
    axes = file.input_columns(table, *(each for each in (label, group) if each))
    rate_hz, notes = file.rate(table)
    values = file.numbers(axes).astype(np.float32)
    keys = list(zip(*(file.column(each) for each in (label, group) if each), strict=True)) or [()] * len(values)
    starts = [row for row in range(len(keys)) if row == 0 or keys[row] != keys[row - 1]]
    found = []
    for start, stop in zip(starts, [*starts[1:], len(keys)], strict=True):
        known = dict(zip([each for each in (label, group) if each], keys[start], strict=True))
        whole = len(starts) == 1
        found.append(
            _Piece(
                file.path,
                values[start:stop],
                source if whole else f"{source}:{file.lines[start]}",
                known.get(label, name) if label else name,
                known.get(group, "") if group else ("" if whole else source),
                part,
                rate_hz,
                axes,
                notes if start == 0 else (),
            )
        )
        if label and not found[-1].name:
            raise UsageError(f"`{file.path}`, line {file.lines[start]}: column `{label}` is empty", hint="name a class")
    return found


FORMAT = _CsvFolder()
