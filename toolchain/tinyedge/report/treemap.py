"""Where the bytes of a memory go, as nested rectangles whose areas are the bytes: sections, and the symbols in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from tinyedge.artifacts import SizeTable
from tinyedge.report.page import NARROW, WIDE, Drawn
from tinyedge.report.table import format_bytes

_WIDE_HEIGHT, _NARROW_HEIGHT = 300, 380
_LETTER, _LINE = 6.6, 14
"""pixels that a letter and a line of a label take"""
_COLOURS = 6
"""that the page has for sections"""


@dataclass(frozen=True)
class Part:
    """A symbol, or what a section has beside its symbols."""

    name: str
    bytes: int
    section: int
    """the number of its section"""
    section_name: str


@dataclass(frozen=True)
class Box:
    """A rectangle, in pixels."""

    x: float
    y: float
    width: float
    height: float


def flash_parts(size: SizeTable) -> tuple[Part, ...]:
    """What lies in flash."""
    return _parts(size, [(name, flash) for name, flash, _ in size.sections])


def ram_parts(size: SizeTable) -> tuple[Part, ...]:
    """What lies in RAM."""
    return _parts(size, [(name, ram) for name, _, ram in size.sections])


def _parts(size: SizeTable, sections: Sequence[tuple[str, int]]) -> tuple[Part, ...]:
    found = []
    for number, (section, count) in enumerate(sections):
        left = count
        for symbol in size.symbols:
            if symbol.section == section and 0 < symbol.bytes <= left:  # symbols may be names of the same bytes
                found.append(Part(symbol.name, symbol.bytes, number, section))
                left -= symbol.bytes
        if left:
            found.append(Part(f"{section}, without a name", left, number, section))
    return tuple(found)


def draw_treemap(parts: Sequence[Part]) -> Drawn | None:
    """As HTML for both widths; None where there is nothing."""
    if not parts:
        return None
    legend = _legend(parts)
    return Drawn(_draw(parts, WIDE, _WIDE_HEIGHT) + legend, _draw(parts, NARROW, _NARROW_HEIGHT) + legend)


def _legend(parts: Sequence[Part]) -> str:
    """The colours of the sections."""
    names = {part.section: part.section_name for part in parts}
    told = "".join(
        f'<span><i class="c{number % _COLOURS}"></i>{escape(name)} {format_bytes(_bytes_of(parts, number))}</span>'
        for number, name in names.items()
    )
    return f'<div class="legend">{told}</div>'


def _draw(parts: Sequence[Part], width: int, height: int) -> str:
    total = sum(part.bytes for part in parts)
    sections = sorted({part.section for part in parts}, key=lambda number: -_bytes_of(parts, number))
    lines = [f'<div class="treemap" style="height:{height}px">']
    whole = Box(0, 0, width, height)
    areas = lay_out([_bytes_of(parts, number) for number in sections], whole)
    for number, area in zip(sections, areas, strict=True):
        inside = sorted((part for part in parts if part.section == number), key=lambda part: -part.bytes)
        for part, box in zip(inside, lay_out([part.bytes for part in inside], area), strict=True):
            told = escape(
                f"{part.name}: {format_bytes(part.bytes)} of {part.section_name}, {100 * part.bytes / total:.1f} %"
            )
            style = (
                f"left:{100 * box.x / width:.3f}%;top:{100 * box.y / height:.3f}%;"
                f"width:{100 * box.width / width:.3f}%;height:{100 * box.height / height:.3f}%"
            )
            lines.append(
                f'<div class="box c{number % _COLOURS}" style="{style}" title="{told}">{_label(part, box)}</div>'
            )
    return "\n".join([*lines, "</div>"])


def _bytes_of(parts: Sequence[Part], section: int) -> int:
    return sum(part.bytes for part in parts if part.section == section)


def _label(part: Part, box: Box) -> str:
    """Name and bytes where both have room; never a part of them."""
    columns = int((box.width - 8) / _LETTER)
    size = format_bytes(part.bytes)
    if columns < len(size):
        return ""
    lines = -(-len(part.name) // columns) + 1
    if lines * _LINE + 6 > box.height:
        return ""
    return f"<span>{escape(part.name)}</span><span>{size}</span>"


def lay_out(values: Sequence[float], area: Box) -> list[Box]:
    """Boxes with areas like `values`, which fall, filling `area` as squarely as rows can.

    Source: Bruls, Huizing, van Wijk, "Squarified Treemaps", 2000

    >>> lay_out([1.0, 1.0], Box(0, 0, 4, 2))
    [Box(x=0, y=0, width=2.0, height=2.0), Box(x=2.0, y=0, width=2.0, height=2.0)]
    """
    boxes: list[Box] = []
    rest = [float(value) for value in values]
    scale = area.width * area.height / sum(rest) if sum(rest) else 0.0
    rest = [value * scale for value in rest]
    while rest:
        side = min(area.width, area.height)
        count = 1
        while count < len(rest) and _worst(rest[: count + 1], side) <= _worst(rest[:count], side):
            count += 1
        row, rest = rest[:count], rest[count:]
        placed, area = _row(row, area)
        boxes += placed
    return boxes


def _worst(row: Sequence[float], side: float) -> float:
    """The ratio of the sides of the least square box of a row."""
    total = sum(row)
    if not total or not side or not min(row):
        return float("inf")
    return max(max(side**2 * value / total**2, total**2 / (side**2 * value)) for value in row)


def _row(row: Sequence[float], area: Box) -> tuple[list[Box], Box]:
    """The boxes of a row along the shorter side of an area, and the area that is left."""
    total = sum(row)
    boxes = []
    if area.width >= area.height:
        depth = total / area.height if area.height else 0.0
        at = area.y
        for value in row:
            extent = value / depth if depth else 0.0
            boxes.append(Box(area.x, at, depth, extent))
            at += extent
        return boxes, Box(area.x + depth, area.y, max(area.width - depth, 0.0), area.height)
    depth = total / area.width if area.width else 0.0
    at = area.x
    for value in row:
        extent = value / depth if depth else 0.0
        boxes.append(Box(at, area.y, extent, depth))
        at += extent
    return boxes, Box(area.x, area.y + depth, area.width, max(area.height - depth, 0.0))
