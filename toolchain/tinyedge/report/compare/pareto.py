"""Runs as points of two figures: which of them no other beats in both, as a picture for a page and for a terminal."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tinyedge.errors import UsageError
from tinyedge.report.compare.comparison import number
from tinyedge.report.compare.subject import FIGURES, Subject
from tinyedge.tables import nearest

_TIMES = ("latency_us", "cycles", "instructions")
_LETTERS = string.ascii_uppercase + string.ascii_lowercase


@dataclass(frozen=True)
class Point:
    """A run in the picture. `front`: no other is better in one figure and as good in the other."""

    letter: str
    label: str
    x: float
    y: float
    front: bool


@dataclass(frozen=True)
class Pareto:
    """Runs by two figures, `x` to the right and `y` upwards."""

    x: str
    y: str
    points: tuple[Point, ...]


def find_pareto(subjects: Sequence[Subject], axes: str | None = None) -> Pareto | None:
    """The picture of those runs that have both figures; None when there are not two figures that all of them have.

    axes  `FIGURE,FIGURE`; None: time, and accuracy where runs differ in it, else flash

    Raises: UsageError for figures that are none, or that fewer than two runs have
    """
    if axes is not None:
        x, _, y = axes.replace(" ", "").partition(",")
        for name in (x, y):
            if name not in FIGURES:
                raise UsageError(
                    f"`--pareto {axes}`: there is no figure `{name}`; {nearest(name, FIGURES)}",
                    hint="`--pareto instructions,flash_bytes`",
                )
    else:
        common = [name for name in FIGURES if all(name in subject.figures for subject in subjects)]
        x = next((name for name in _TIMES if name in common and _one_kind(subjects, name)), "")
        accuracies = {subject.figures["accuracy"].value for subject in subjects} if "accuracy" in common else set()
        y = "accuracy" if len(accuracies) > 1 else "flash_bytes" if "flash_bytes" in common else ""
        if not x or not y:
            return None
    placed = [(s, s.figures[x].value, s.figures[y].value) for s in subjects if x in s.figures and y in s.figures]
    if len(placed) < 2:
        raise UsageError(
            f"fewer than two runs have both `{x}` and `{y}`", hint="`--pareto flash_bytes,arena_bytes`: all have these"
        )
    values = [(_cost(x, each_x), _cost(y, each_y)) for _, each_x, each_y in placed]
    points = (
        Point(
            _LETTERS[at % len(_LETTERS)], subject.label, each_x, each_y, not any(_beats(v, values[at]) for v in values)
        )
        for at, (subject, each_x, each_y) in enumerate(placed)
    )
    return Pareto(x, y, tuple(points))


def _one_kind(subjects: Sequence[Subject], name: str) -> bool:
    return len({subject.figures[name].kind for subject in subjects}) == 1


def _cost(figure: str, value: float) -> float:
    return -value if FIGURES[figure].better == "more" else value


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one != other and one[0] <= other[0] and one[1] <= other[1]


def render_pareto(pareto: Pareto, columns: int = 80) -> str:
    """The picture in letters, and what each stands for; `*` behind those of the front."""
    height = 12
    low_y, high_y = _span([point.y for point in pareto.points])
    edge = [number(pareto.y, high_y), *[""] * (height - 2), number(pareto.y, low_y)]
    margin = max(map(len, edge))
    width = max(min(columns, 100) - margin - 2, 20)
    grid = [[" "] * width for _ in range(height)]
    low_x, high_x = _span([point.x for point in pareto.points])
    for point in pareto.points:
        column = round((point.x - low_x) / (high_x - low_x) * (width - 1))
        row = height - 1 - round((point.y - low_y) / (high_y - low_y) * (height - 1))
        while grid[row][column] != " " and column + 1 < width:
            column += 1
        grid[row][column] = point.letter
    lines = [f"{FIGURES[pareto.y].title}"]
    lines += [f"{label:>{margin}} |{''.join(row)}".rstrip() for label, row in zip(edge, grid, strict=True)]
    lines.append(f"{'':>{margin}} +{'-' * width}")
    left, right = number(pareto.x, low_x), f"{number(pareto.x, high_x)}  {FIGURES[pareto.x].title}"
    lines.append(f"{'':>{margin}}  {left}{right:>{max(width - len(left), len(right) + 2)}}")
    lines += [
        f"{point.letter}{'*' if point.front else ' '} {point.label}: {number(pareto.x, point.x)}, "
        f"{number(pareto.y, point.y)}"
        for point in pareto.points
    ]
    return "\n".join([*lines, "* no other is better in one of the two and as good in the other"])


def _span(values: Sequence[float]) -> tuple[float, float]:
    """The range of an axis, which is never empty."""
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - max(abs(low), 1) / 2, high + max(abs(high), 1) / 2)


_LEFT, _TOP, _RIGHT, _BOTTOM = 96, 40, 16, 48
_WIDTH, _HEIGHT = 760, 300
"""of the whole drawing, and of what is inside its margins, in pixels"""
_LETTER = 6.8


def pareto_svg(pareto: Pareto, width: int = _WIDTH) -> str:
    """A standalone SVG document; the front is joined by a line. A label without room gives way to its letter.

    width  in pixels; letters have the same size in all
    """
    height, drawn_width = _TOP + _HEIGHT + _BOTTOM, width - _LEFT - _RIGHT
    low_x, high_x = _span([point.x for point in pareto.points])
    low_y, high_y = _span([point.y for point in pareto.points])

    def place(point: Point) -> tuple[float, float]:
        return (
            _LEFT + drawn_width * (0.05 + 0.9 * (point.x - low_x) / (high_x - low_x)),
            _TOP + _HEIGHT * (0.95 - 0.9 * (point.y - low_y) / (high_y - low_y)),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12" class="chart">',
        "<style>.chart{color:#1b1b1b}@media(prefers-color-scheme:dark){.chart{color:#e8e8e8}}</style>",
        f'<path d="M{_LEFT},{_TOP} V{_TOP + _HEIGHT} H{_LEFT + drawn_width}" fill="none" stroke="currentColor"/>',
        _text(_LEFT - 8, _TOP - 12, FIGURES[pareto.y].title, "start"),
        _text(_LEFT + drawn_width, height - 10, FIGURES[pareto.x].title, "end"),
    ]
    front = sorted(map(place, (point for point in pareto.points if point.front)))
    if len(front) > 1:
        line = " ".join(f"{'L' if at else 'M'}{x:.1f},{y:.1f}" for at, (x, y) in enumerate(front))
        parts.append(f'<path d="{line}" fill="none" stroke="#219ebc" stroke-width="2" stroke-dasharray="6 4"/>')
    for point in pareto.points:
        x, y = place(point)
        told = f"{point.label}: {number(pareto.x, point.x)}, {number(pareto.y, point.y)}"
        colour = "#219ebc" if point.front else "#8a8a8a"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"><title>{escape(told)}</title></circle>')
        parts.append(_point_label(point, x, y + 4, width))
    for value, at, anchor in ((low_x, 0.0, "start"), (high_x, 1.0, "end")):
        parts.append(_text(_LEFT + drawn_width * at, _TOP + _HEIGHT + 18, number(pareto.x, value), anchor))
    for value, at in ((low_y, 0.95), (high_y, 0.05)):
        parts.append(_text(_LEFT - 6, _TOP + _HEIGHT * at + 4, number(pareto.y, value), "end"))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _point_label(point: Point, x: float, y: float, width: int) -> str:
    """To the right of the point or to its left, wherever there is room; else its letter."""
    room = len(point.label) * _LETTER + 9
    if x + room <= width:
        return _text(x + 9, y, point.label, "start")
    if x - room >= _LEFT:
        return _text(x - 9, y, point.label, "end")
    return _text(x - 9, y, point.letter, "end")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="currentColor">{escape(text)}</text>'
