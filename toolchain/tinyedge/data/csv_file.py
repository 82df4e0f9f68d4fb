"""One CSV: its delimiter, header, numbers, and the time that its rows were taken at."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from tinyedge.data.table import DataTable
from tinyedge.data.unequal import RATE_TOLERANCE
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array
from tinyedge.tables import nearest

MOST_BYTES = 1 << 29
"""of one file"""
_DELIMITERS = ",;\t|"
_TIMES = {
    "time": 1.0,
    "t": 1.0,
    "seconds": 1.0,
    "time_s": 1.0,
    "time (s)": 1.0,
    "time [s]": 1.0,
    "timestamp": 1e-3,
    "ms": 1e-3,
    "time_ms": 1e-3,
    "time (ms)": 1e-3,
    "time [ms]": 1e-3,
    "timestamp_ms": 1e-3,
    "millis": 1e-3,
    "us": 1e-6,
    "time_us": 1e-6,
    "timestamp_us": 1e-6,
    "micros": 1e-6,
    "ns": 1e-9,
    "time_ns": 1e-9,
    "timestamp_ns": 1e-9,
}
"""names of the column of time -> seconds of a unit; `timestamp` is in milliseconds, as data forwarders write it"""
_LABELS = ("label", "labels", "class", "target", "targets")
_LARGEST = float(np.finfo(np.float32).max)
_GAP = 2.5
"""times the usual step that rows may be apart before it is said"""


@dataclass(frozen=True, eq=False)
class CsvFile:
    """The rows of one file, uncut.

    columns  their names; numbers from 0 where there is no header
    cells    [rows][columns] as text
    lines    of each row, where it begins in the file
    """

    path: Path
    columns: tuple[str, ...]
    cells: Sequence[Sequence[str]]
    lines: Sequence[int]
    decimal_comma: bool

    def column(self, name: str) -> list[str]:
        """The cells of a column. Raises: UsageError when there is none."""
        return [row[self._index(name)].strip() for row in self.cells]

    def numbers(self, names: Sequence[str]) -> Array:
        """Columns as float64 [rows, columns]. Raises: UsageError with the line of a cell that is no number."""
        places = [self._index(name) for name in names]
        texts = [[row[place] for place in places] for row in self.cells]
        if self.decimal_comma:
            texts = [[text.replace(",", ".") for text in row] for row in texts]
        try:
            values = np.array([[float(text) for text in row] for row in texts], np.float64)
        except ValueError:
            raise self._not_a_number(texts, names) from None
        if not (right := np.abs(values) <= _LARGEST).all():  # NaN is none of them
            row, place = (int(index) for index in np.argwhere(~right)[0])
            raise UsageError(
                f"`{self.path}`, line {self.lines[row]}: column `{names[place]}` is `{texts[row][place].strip()}`",
                hint="leave the row out, or put a number there",
            )
        return values

    def _index(self, name: str) -> int:
        if name not in self.columns:
            raise UsageError(f"`{self.path}` has no column `{name}`", hint=nearest(name, self.columns))
        return self.columns.index(name)

    def _not_a_number(self, texts: Sequence[Sequence[str]], names: Sequence[str]) -> UsageError:
        for row, cells in enumerate(texts):
            for place, text in enumerate(cells):
                if not is_number(text):
                    return UsageError(
                        f"`{self.path}`, line {self.lines[row]}: column `{names[place]}` is "
                        f"{f'`{text.strip()[:40]}`, not a number' if text.strip() else 'empty'}",
                        hint="write a decimal point; a decimal comma is read where another mark parts the cells"
                        if is_number(text.replace(",", ".", 1))
                        else "put a number there; `columns` in [data] names those that are read, `labels` the one with "
                        "the classes",
                    )
        raise AssertionError("no cell is wrong")

    @property
    def time_column(self) -> str:
        """The column with the time; empty where there is none."""
        return next((name for name in self.columns if name.strip().lower() in _TIMES), "")

    def label_column(self, table: DataTable) -> str:
        """The column with the classes or targets: as `labels` of the table says, else the one that is called so.

        Raises: UsageError when the table names one that is not there
        """
        if table.labels:
            self._index(table.labels)
            return table.labels
        lowered = {name.strip().lower(): name for name in self.columns}
        found = next((lowered[name] for name in _LABELS if name in lowered), "")
        # a last `y` is a target, unless it is an axis
        return found or (self.columns[-1] if self.columns[-1].lower() == "y" and "z" not in lowered else "")

    def group_column(self, table: DataTable) -> str:
        """The column that `group` of the table names; empty where it is an expression."""
        return table.group if table.group in self.columns else ""

    def input_columns(self, table: DataTable, *others: str) -> tuple[str, ...]:
        """The columns that are read: those of the table, else all but the time and `others`.

        Raises: UsageError when none is left, or one is missing
        """
        names = table.columns or tuple(
            name for name in self.columns if name and name not in (self.time_column, *others)
        )
        for name in names:
            self._index(name)
        if not names:
            raise UsageError(f"`{self.path}` has no column of values: {', '.join(self.columns)}")
        return names

    def rate(self, table: DataTable) -> tuple[float | None, tuple[str, ...]]:
        """(samples a second, what is odd about them). Raises: UsageError for another rate than the table's, and for
        time that goes backwards."""
        name = self.time_column
        if not name or len(self.cells) < 3:
            return table.rate_hz, ()
        seconds = self._seconds(name)
        steps = np.diff(seconds)
        if (steps < 0).any():
            row = int(np.argmax(steps < 0)) + 1
            raise UsageError(
                f"`{self.path}`, line {self.lines[row]}: the time goes backwards, from `{self.column(name)[row - 1]}` "
                f"to `{self.column(name)[row]}`",
                hint="sort the rows, or cut the file where a recording begins",
            )
        step = float(np.median(steps))
        if step <= 0:
            raise UsageError(f"`{self.path}`: the time in `{name}` stands still", hint="leave that column out")
        found = 1 / step
        if table.rate_hz is not None and abs(found - table.rate_hz) > RATE_TOLERANCE * table.rate_hz:
            raise UsageError(
                f"`{self.path}` has {found:.4g} rows a second by its column `{name}`, not {table.rate_hz:,g}",
                hint=f"`rate_hz = {found:.4g}` in [data], or resample the file",
            )
        notes: tuple[str, ...] = ()
        if float(steps.max()) > _GAP * step:
            row = int(steps.argmax()) + 1
            notes = (f"`{self.path.name}`, line {self.lines[row]}: {float(steps.max()) / step:.0f} rows are missing",)
        return table.rate_hz or found, notes

    def _seconds(self, name: str) -> Array:
        unit = _TIMES[name.strip().lower()]
        if self.cells and not is_number(self.cells[0][self._index(name)]):
            return np.array([self._instant(name, row, text) for row, text in enumerate(self.column(name))])
        return self.numbers((name,))[:, 0] * unit

    def _instant(self, name: str, row: int, text: str) -> float:
        try:
            return datetime.fromisoformat(text).timestamp()
        except ValueError:
            raise UsageError(
                f"`{self.path}`, line {self.lines[row]}: column `{name}` is `{text[:40]}`, no time",
                hint="write seconds, milliseconds in `timestamp`, or dates as 2026-01-31T12:00:00.5",
            ) from None


def read_csv(path: Path) -> CsvFile:
    """The cells of a file. Raises: UsageError with the line where a row has too many or too few of them."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise UsageError(f"`{path}` has {size:,} B; at most {MOST_BYTES:,} B are read", hint="cut it into files")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"`{path}` is no text in UTF-8: {error.reason} at byte {error.start:,}", hint="save it as UTF-8"
        ) from error
    if "\0" in text:
        raise UsageError(f"`{path}` is no CSV: it holds zero bytes", hint="export it as text")
    first = next((line for line in text.splitlines() if line.strip()), None)
    if first is None:
        raise UsageError(f"`{path}` is empty", hint="leave the file out, or record it again")
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        rows, lines = _rows(text, delimiter)
    except csv.Error as error:
        raise UsageError(f"`{path}` is no CSV: {error}", hint="close every quote; one row is one line") from error
    comma = delimiter != ","
    header = not all(is_number(cell.replace(",", ".") if comma else cell) for cell in rows[0])
    columns = tuple(cell.strip() for cell in rows[0]) if header else tuple(str(at) for at in range(len(rows[0])))
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        raise UsageError(f"`{path}` has two columns `{twice}`", hint="rename one")
    body = rows[1:] if header else rows
    if not body:
        raise UsageError(f"`{path}` is empty: it has a header and no row", hint="leave the file out")
    for at, row in enumerate(rows):
        if len(row) != len(columns):
            raise UsageError(
                f"`{path}`, line {lines[at]}: {len(row)} cells, the first line has {len(columns)}",
                hint="each row has a cell for each column",
            )
    return CsvFile(path, columns, body, lines[len(rows) - len(body) :], comma)


def _rows(text: str, delimiter: str) -> tuple[list[list[str]], list[int]]:
    """The rows that are not blank, and the line where each begins: a quoted cell may go over several.

    Raises: csv.Error
    """
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter, strict=True)
    rows, lines, begins = [], [], 1
    try:
        for row in reader:
            if len(row) > 1 or any(cell.strip() for cell in row):
                rows.append(row)
                lines.append(begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f"{error}, in the row that begins at line {begins}") from error
    return rows, lines


def is_number(text: str) -> bool:
    """Whether a cell or a name is a number, as Python writes them."""
    try:
        float(text)
    except ValueError:
        return False
    return True
