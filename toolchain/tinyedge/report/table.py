"""Tables and figures as plain text: aligned, ASCII, thousands separated, readable without colour."""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass

from tinyedge.artifacts import Figure

Cell = str | int | None
_GAP = 2
"""blanks between two columns"""
_NARROWEST_TEXT = 20
_limit: ContextVar[int | None] = ContextVar("tinyedge_table_limit", default=None)
_plain: ContextVar[bool] = ContextVar("tinyedge_table_plain", default=False)
_NUMERIC = re.compile(r"-?[0-9][0-9,]*(\.[0-9]+)?( (B|%|us|ms|s|MHz))?|-?|unknown|no limit")


@contextlib.contextmanager
def fitted(columns: int | None, *, plain: bool = False) -> Iterator[None]:
    """Within the block tables and pairs are at most that wide, as far as their figures allow; None: as they come.

    plain  a tab stands between cells, for other programs
    """
    tokens = _limit.set(columns), _plain.set(plain)
    try:
        yield
    finally:
        _limit.reset(tokens[0])
        _plain.reset(tokens[1])


def render_table(headers: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Columns under their headers; numbers to the right, text to the left, None as `-`.

    Where it is to be narrower (`fitted`), headers and text fold between words, figures never; if that is not enough,
    the widest columns of text stand below their row, behind their names.

    >>> print(render_table(("layer", "MACs"), [("conv_2d", 12345), ("softmax", None)]))
    layer      MACs
    conv_2d  12,345
    softmax       -
    """
    if _plain.get():
        return _tabbed([headers, *([format_cell(cell) for cell in row] for row in rows)])
    columns = [_Column(header, [format_cell(row[i]) for row in rows], leads=i == 0) for i, header in enumerate(headers)]
    limit = _limit.get()
    below: list[_Column] = []
    if limit is not None:
        while _total(column.least for column in columns) > limit and (movable := [c for c in columns if c.movable]):
            below.append(max(movable, key=lambda column: column.natural))
            columns.remove(below[-1])
        below.sort(key=lambda column: headers.index(column.header))
    widths = _fit(columns, limit)
    right = [column.numeric for column in columns]
    lines = [[column.header for column in columns], *zip(*(column.cells for column in columns), strict=True)]
    if not below:
        return "\n".join(_print(lines, widths, right))
    text = _print(lines[:1], widths, right)
    for row, line in enumerate(lines[1:]):
        text += _print([line], widths, right)
        rest = "; ".join(f"{column.header} {column.cells[row]}" for column in below if column.cells[row])
        text += _print([("", rest)], [_GAP, max(limit - 2 * _GAP, 1)]) if rest and limit else []
    return "\n".join(text)


def _tabbed(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join("\t".join(" ".join(cell.split()) for cell in row) for row in rows)


@dataclass(frozen=True)
class _Column:
    """One column as text, and how narrow it can be."""

    header: str
    cells: Sequence[str]
    leads: bool
    """the first, which names the row"""

    @functools.cached_property
    def numeric(self) -> bool:
        return bool(self.cells) and all(map(_NUMERIC.fullmatch, self.cells))

    @property
    def movable(self) -> bool:
        return not (self.numeric or self.leads)

    @functools.cached_property
    def natural(self) -> int:
        return max(map(_width, (self.header, *self.cells)))

    @functools.cached_property
    def least(self) -> int:
        """With everything folded between words; figures and what names the row stay whole."""
        folding = [self.header] if self.numeric or self.leads else [self.header, *self.cells]
        words = [word for text in folding for word in text.split()]
        whole = self.cells if self.numeric or self.leads else ()
        return max(map(_width, (*words, *whole)), default=0)


def _fit(columns: Sequence[_Column], limit: int | None) -> list[int]:
    """The width of each column. Those that lack least are made whole first, and text takes what is left."""
    widths = [column.natural for column in columns]
    if limit is None or _total(widths) <= limit:
        return widths
    widths = [column.least for column in columns]
    spare = limit - _total(widths)
    for i in sorted(range(len(columns)), key=lambda i: columns[i].natural - widths[i]):
        lacking = columns[i].natural - widths[i]
        if lacking <= spare or columns[i].movable:
            more = max(min(lacking, spare), 0)
            widths[i] += more
            spare -= more
    return widths


def _total(widths: Iterable[int]) -> int:
    found = list(widths)
    return sum(found) + _GAP * (len(found) - 1)


def _width(text: str) -> int:
    """How many columns of a terminal it takes.

    >>> _width("cat"), _width("猫")
    (3, 2)
    """
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _print(rows: Iterable[Sequence[str]], widths: Sequence[int], right: Sequence[bool] = ()) -> list[str]:
    """The lines that rich makes of rows, columns of these widths, those that are `right` to the right."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid()
    for width, numeric in itertools.zip_longest(widths, right, fillvalue=False):
        grid.add_column(width=width, justify="right" if numeric else "left", overflow="fold")
        grid.add_column(width=_GAP)
    for row in rows:
        grid.add_row(*(part for text in row for part in (Text(text), Text())))
    page = io.StringIO()
    Console(file=page, width=_total(widths) + _GAP, color_system=None, legacy_windows=False).print(grid)
    return [line.rstrip() for line in page.getvalue().splitlines()]


def format_cell(cell: Cell) -> str:
    """A cell as text: None as `-`, integers with thousands separated."""
    if cell is None:
        return "-"
    return f"{cell:,}" if isinstance(cell, int) else cell


def format_bytes(count: int) -> str:
    """A size with its unit.

    >>> format_bytes(118784)
    '118,784 B'
    """
    return f"{count:,} B"


def format_share(part: float, whole: float) -> str:
    """A part in percent of the whole.

    >>> format_share(1, 8), format_share(0, 0)
    ('12.5 %', '-')
    """
    return f"{100 * part / whole:.1f} %" if whole else "-"


def format_time(us: float) -> str:
    """A time in the unit that reads best; what kind of figure it is must stand behind it.

    >>> format_time(0.281), format_time(812.345), format_time(48123.4)
    ('0.28 us', '812.3 us', '48.123 ms')
    """
    if us < 1000:
        return f"{us:.2f} us" if us < 10 else f"{us:.1f} us"
    return f"{us / 1000:,.3f} ms"


def format_kind(figure: Figure, spread: tuple[int, int] | None = None) -> str:
    """What must stand behind every figure: how it was got, its error, and its spread over the samples.

    >>> format_kind(Figure("modelled", 1000, 5.0), (990, 1010))
    '(modelled, error 5 %; 990 to 1,010)'
    """
    return f"({describe_kind(figure)}{'' if spread is None else f'; {spread[0]:,} to {spread[1]:,}'})"


def describe_kind(figure: Figure) -> str:
    """How a figure was got.

    >>> describe_kind(Figure("modelled", 1000, upper=1200)), describe_kind(Figure("measured", 3))
    ('modelled bounds', 'measured')
    """
    bounds = "" if figure.upper is None else " bounds"
    where = " at zero wait states" if figure.at_zero_wait_states else ""
    error = "" if figure.error_percent is None else f", error {figure.error_percent:g} %"
    return f"{figure.kind}{bounds}{where}{error}"


def format_range(figure: Figure, text: Callable[[float], str]) -> str:
    """A figure's value, or both its bounds.

    >>> format_range(Figure("modelled", 900.0, upper=1200.0), format_time)
    '900.0 us to 1.200 ms'
    """
    return text(figure.value) if figure.upper is None else f"{text(figure.value)} to {text(figure.upper)}"


def format_pairs(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and what is to be said of them, one a line.

    >>> print(format_pairs([("verify", "ok"), ("latency", "3 us")]))
    verify   ok
    latency  3 us
    """
    if _plain.get():
        return _tabbed(pairs)
    width = max((_width(name) for name, _ in pairs), default=0)
    text = max((_width(text) for _, text in pairs), default=0)
    limit = _limit.get()
    if limit is not None:
        text = min(text, max(limit - width - _GAP, _NARROWEST_TEXT))
    return "\n".join(_print(pairs, [width, text]))
