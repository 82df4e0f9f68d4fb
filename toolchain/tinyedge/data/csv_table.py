"""One CSV: a sample a row, with a column of its class or target; with a window, a recording for each run of a class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyedge.data.classes import CSVS, Chosen, choose_classes
from tinyedge.data.contract import Recordings
from tinyedge.data.csv_file import CsvFile, read_csv
from tinyedge.data.table import DataTable
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

_HEAD = 512


class _CsvTable:
    title = "a .csv"
    layout = "a sample a row and a column `label`; with `window`, rows of time, a recording for each run of one class"
    split = "`group` may be a column"
    is_general = True

    def recognizes(self, path: Path, head: bytes, names: Sequence[str]) -> bool:
        if not path.is_file():
            return False
        if path.suffix.lower() in CSVS:  # whatever is wrong with it, the reader can say
            return True
        if not head or b"\0" in head:
            return False
        try:
            text = head.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            if error.start < len(head) - 4:
                return False
            text = head[: error.start].decode("utf-8-sig")
        lines = [line for line in text.splitlines() if line.strip()]
        whole = lines[:-1] if len(head) >= _HEAD and len(lines) > 1 else lines
        return len(lines) > 1 and any(
            all(line.count(mark) == lines[0].count(mark) > 0 for line in whole) for mark in ",;\t|"
        )

    def read(self, path: Path, table: DataTable) -> Recordings:
        file = read_csv(path)
        label, group = file.label_column(table), file.group_column(table)
        if table.group and not group:
            raise UsageError(
                f"`{path}` has no column `{table.group}`: `group` of one CSV names a column",
                hint=f"its columns are {', '.join(f'`{name}`' for name in file.columns)}",
            )
        axes = file.input_columns(table, *(each for each in (label, group) if each))
        values = file.numbers(axes).astype(np.float32)
        if label:
            _refuse_empty(file, label)
        if table.window is not None:
            return _runs(file, table, values, axes, label, group)
        return _rows(file, table, values, axes, label, group)


def _rows(file: CsvFile, table: DataTable, values: Array, axes: tuple[str, ...], label: str, group: str) -> Recordings:
    """A sample a row."""
    names = file.column(label) if label else [""] * len(values)
    groups = file.column(group) if group else []
    targets = _targets(names) if label and not table.classes else None
    chosen = choose_classes(names, table) if targets is None else Chosen(tuple(range(len(values))), targets, ())
    numbers = chosen.numbers
    return Recordings(
        inputs={"values": values[list(numbers)]},
        sources=[f"{file.path.name}:{file.lines[number]}" for number in numbers],
        labels=chosen.labels,
        class_names=chosen.class_names,
        groups=[groups[number] for number in numbers] if groups else [],
        axes=axes,
        columns=file.columns,
        notes=chosen.notes,
    )


def _targets(names: list[str]) -> Array | None:
    """Numbers of a regression; None for classes, which are words or whole numbers."""
    try:
        values = np.array([float(name) for name in names])
    except ValueError:
        return None
    return None if (values == np.round(values)).all() else values.astype(np.float32)


def _runs(file: CsvFile, table: DataTable, values: Array, axes: tuple[str, ...], label: str, group: str) -> Recordings:
    """A recording for each run of rows of one class and one subject."""
    rate_hz, notes = file.rate(table)
    keys = [file.column(each) for each in (label, group) if each]
    pairs = list(zip(*keys, strict=True)) or [()] * len(values)
    starts = [row for row in range(len(pairs)) if row == 0 or pairs[row] != pairs[row - 1]]
    stops = [*starts[1:], len(pairs)]
    chosen = choose_classes([pairs[start][0] if label else "" for start in starts], table)
    if not group:
        notes = (*notes, f"`{file.path.name}` names no subjects: each run of one class is taken for a recording")
    return Recordings(
        inputs={"values": [values[starts[number] : stops[number]] for number in chosen.numbers]},
        sources=[f"{file.path.name}:{file.lines[starts[number]]}" for number in chosen.numbers],
        labels=chosen.labels,
        class_names=chosen.class_names,
        groups=[pairs[starts[number]][-1] for number in chosen.numbers] if group else [],
        is_timed=True,
        rate_hz=rate_hz,
        axes=axes,
        columns=file.columns,
        notes=(*chosen.notes, *notes),
    )


def _refuse_empty(file: CsvFile, label: str) -> None:
    for row, name in enumerate(file.column(label)):
        if not name:
            raise UsageError(f"`{file.path}`, line {file.lines[row]}: column `{label}` is empty", hint="name a class")


FORMAT = _CsvTable()
