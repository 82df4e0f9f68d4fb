"""Lines of numbers as data forwarders send them: a line a sample, with or without names on top and a time in front."""

from __future__ import annotations

import itertools
import re
import statistics
from collections import Counter
from collections.abc import Sequence

from tinyedge.collect.contract import MOST_AXES, Event, Lost, Row, Rows, TimeUnit
from tinyedge.console.buffer import LineBuffer
from tinyedge.errors import DeviceError

_LOOKED_AT = 8
"""lines of numbers that settle how many there are in a line"""
_NUMBER = re.compile(r"[+-]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,2})?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ .()/\[\]^%-]*")
_SEPARATORS = re.compile(r" *[,;\t] *| +")
_TIMES = {
    **dict.fromkeys(("t", "ts", "time", "timestamp"), "by size"),
    **dict.fromkeys(("s", "time_s", "t_s", "sec", "seconds", "timestamp_s"), "s"),
    **dict.fromkeys(("ms", "time_ms", "t_ms", "millis", "timestamp_ms"), "ms"),
    **dict.fromkeys(("us", "time_us", "t_us", "micros", "timestamp_us"), "us"),
}
"""names of a first column that is a time, and its unit"""
_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
_MISSING_STEPS = 1.9
"""steps of time between two samples from which on some are missing"""


class LineDecoder:
    """Reads lines of numbers, and leaves out what is none.

    time  unit of the first column; `auto`: by its name, none without names; `none`: it is an axis
    live  the first line may be the rest of one
    """

    def __init__(self, time: TimeUnit = "auto", *, live: bool = True) -> None:
        self.axis_names: tuple[str, ...] = ()
        self.damaged = 0
        self.hints: tuple[str, ...] = ()
        self._time: str = time
        self._buffer = LineBuffer()
        self._names: tuple[str, ...] = ()
        self._width = 0
        self._waiting: list[Row] = []
        self._skip_first = live
        self._others: Counter[int] = Counter()
        self._last_s: float | None = None
        self._step_s = 0.0

    @property
    def found(self) -> bool:
        """Whether it is known how many numbers a line has."""
        return self._width > 0

    def feed(self, data: bytes) -> list[Event]:
        """The samples of the lines that are complete now. Raises: DeviceError when lines keep another width."""
        self._buffer.feed(data)
        events: list[Event] = []
        while (line := self._buffer.pop()) is not None:
            events += self._line(line.decode("ascii", "replace").strip())
        return _joined(events)

    def finish(self) -> list[Event]:
        """What waited for more lines to compare it with. A last line without its end may be cut: it is left out."""
        return [] if self.found or not self._waiting else _joined(self._settle())

    def _line(self, text: str) -> list[Event]:
        cells = [cell.strip() for cell in _SEPARATORS.split(text)] if text else []
        while cells and not cells[-1]:
            cells.pop()  # a separator at the end
        first, self._skip_first = self._skip_first and bool(cells), self._skip_first and not cells
        numbers = [_NUMBER.fullmatch(cell) is not None for cell in cells]
        if cells and all(numbers):
            return [] if first else self._numbers(tuple(map(_value, cells)))
        if not self.found and not self._waiting and len(cells) > 1 and all(map(_NAME.fullmatch, cells)):
            self._names = tuple(cells)
            return []
        if not self.found or first:
            return []
        if tuple(cells) == self._names:
            return [Lost(0)]  # the board began anew
        if 2 * sum(numbers) > len(cells) or (any(numbers) and len(cells) == self._width):
            self.damaged += 1  # a sample that noise has damaged; words are talk
            return [Lost(1)]
        return []

    def _numbers(self, row: Row) -> list[Event]:
        if not self.found:
            self._waiting.append(row)
            known = len(self._names) == len(row)
            return self._settle() if known or len(self._waiting) >= _LOOKED_AT else []
        if len(row) == self._width:
            self._others.clear()
            return self._sample(row)
        self.damaged += 1
        self._others[len(row)] += 1
        if self._others[len(row)] >= _LOOKED_AT:
            raise DeviceError(
                f"the board now sends lines of {_counted(len(row))}, and sent {_counted(self._width)} before",
                hint="collect each by itself",
            )
        return [Lost(1)]

    def _settle(self) -> list[Event]:
        """How wide lines are, and whether a time stands in front."""
        waiting, self._waiting = self._waiting, []
        self._width = Counter(map(len, waiting)).most_common(1)[0][0]
        rows = [row for row in waiting if len(row) == self._width]
        self.damaged += len(waiting) - len(rows)
        names = self._names if len(self._names) == self._width else ()
        self._time = self._unit_of_time(names, rows)
        if self._time != "none":
            names = names[1:]
        axes = self._width - (self._time != "none")
        if not 1 <= axes <= MOST_AXES:
            width, self._width = self._width, 0
            raise DeviceError(
                f"the board sends lines of {_counted(width)}; 1 to {MOST_AXES} axes are recorded",
                hint="`--time none` where the first column is no time" if axes < 1 else "send fewer axes",
            )
        self.axis_names = names or tuple(f"a{i}" for i in range(axes))
        return [event for row in rows for event in self._sample(row)]

    def _unit_of_time(self, names: Sequence[str], rows: Sequence[Row]) -> str:
        if self._time != "auto":
            return self._time
        unit = _TIMES.get(names[0].lower()) if names else None
        if unit is None:
            if not names and self._width > 1 and _rises_steadily(rows):
                self.hints = ("the first column rises steadily: `--time ms` (or s, us) takes it for a time",)
            return "none"
        if unit == "by size":
            unit = "ms"
            if any(isinstance(row[0], float) for row in rows):
                unit = "s"
            self.hints = (f"the column `{names[0]}` is taken for a time in {unit}; `--time` says another unit",)
        return unit

    def _sample(self, row: Row) -> list[Event]:
        if self._time == "none":
            return [Rows([row])]
        now_s = row[0] * _SECONDS[self._time]
        last_s, self._last_s = self._last_s, now_s
        sample = Rows([row[1:]], [now_s])
        if last_s is None:
            return [sample]
        step_s = now_s - last_s
        if step_s <= 0:
            return [Lost(0), sample]  # the board began anew
        if self._step_s and step_s > _MISSING_STEPS * self._step_s:
            return [Lost(max(round(step_s / self._step_s) - 1, 1)), sample]
        self._step_s += (step_s - self._step_s) / (8 if self._step_s else 1)
        return [sample]


def _value(cell: str) -> float:
    """An int where it is written as one."""
    return int(cell) if cell.lstrip("+-").isdecimal() else float(cell)


def _rises_steadily(rows: Sequence[Row]) -> bool:
    steps = [after[0] - before[0] for before, after in itertools.pairwise(rows)]
    if len(steps) < _LOOKED_AT - 1:
        return False
    middle = statistics.median(steps)
    return middle > 0 and all(0.5 * middle <= step <= 1.5 * middle for step in steps)


def _joined(events: Sequence[Event]) -> list[Event]:
    """The same with neighbouring samples as one event."""
    joined: list[Event] = []
    for event in events:
        last = joined[-1] if joined else None
        if isinstance(event, Rows) and isinstance(last, Rows):
            joined[-1] = Rows([*last.rows, *event.rows], [*last.times_s, *event.times_s])
        else:
            joined.append(event)
    return joined


def _counted(numbers: int) -> str:
    return "1 number" if numbers == 1 else f"{numbers} numbers"
