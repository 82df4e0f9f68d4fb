"""Tables and figures as plain text: aligned, ASCII, thousands separated, readable without colour."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tinyedge.artifacts import Figure

Cell = str | int | None
_NUMERIC = re.compile(r"-?[0-9][0-9,]*(\.[0-9]+)?( (B|%|us|ms|s|MHz))?|-?|unknown|no limit")


def render_table(headers: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """Columns under their headers; numbers to the right, text to the left, None as `-`.

    >>> print(render_table(("layer", "MACs"), [("conv_2d", 12345), ("softmax", None)]))
    layer      MACs
    conv_2d  12,345
    softmax       -
    """
    texts = [[format_cell(cell) for cell in row] for row in rows]
    widths = [max(len(text) for text in column) for column in zip(headers, *texts, strict=True)]
    right = [bool(texts) and all(_NUMERIC.fullmatch(row[i]) for row in texts) for i in range(len(headers))]
    lines = []
    for row in (list(headers), *texts):
        cells = [text.rjust(w) if r else text.ljust(w) for text, w, r in zip(row, widths, right, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


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
    error = "" if figure.error_percent is None else f", error {figure.error_percent:g} %"
    return f"({figure.kind}{error}{'' if spread is None else f'; {spread[0]:,} to {spread[1]:,}'})"


def format_pairs(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and what is to be said of them, one a line.

    >>> print(format_pairs([("verify", "ok"), ("latency", "3 us")]))
    verify   ok
    latency  3 us
    """
    width = max((len(name) for name, _ in pairs), default=0)
    return "\n".join(f"{name.ljust(width)}  {text}".rstrip() for name, text in pairs)
