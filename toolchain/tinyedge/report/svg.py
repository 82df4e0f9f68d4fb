"""The memory plan over time as a picture: one rectangle for each buffer, steps to the right, addresses upwards."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from tinyedge.artifacts import Buffer, Plan
from tinyedge.report.memory import memory_over_time, peak_step, step_count, step_title
from tinyedge.report.table import format_bytes

_LEFT, _TOP, _RIGHT, _BOTTOM = 90, 56, 16, 40
_WIDTH, _HEIGHT = 946, 400
"""of the whole drawing, and of what is inside its margins, in pixels"""
_NARROW = 500
"""below this width headings are folded"""
_COLOURS = (
    "#8ecae6",
    "#ffd166",
    "#a7c957",
    "#f4a3a8",
    "#cdb4db",
    "#f6bd60",
    "#84a59d",
    "#b8c0ff",
    "#e5989b",
    "#90be6d",
)
_CHARACTER = 6.2
"""width of a letter of the labels, in pixels"""


def plan_svg(plan: Plan, width: int = _WIDTH, *, numbered: bool = False) -> str:
    """A standalone SVG document: buffers, the arena's size, its lower bound, and the step of the peak.

    width     in pixels; letters have the same size in all
    numbered  a name without room gives way to the number of its buffer, instead of being cut
    """
    steps = step_count(plan)
    drawn_width = width - _LEFT - _RIGHT
    step_width = drawn_width / steps
    top_bytes = max(plan.arena_bytes, plan.lower_bound_bytes, 1)
    peak = peak_step(plan)
    height = _TOP + _HEIGHT + _BOTTOM

    def y(offset: int) -> float:
        return _TOP + _HEIGHT * (1 - offset / top_bytes)

    title = f"{plan.graph.name}: arena {format_bytes(plan.arena_bytes)}"
    below = (
        f"lower bound {format_bytes(plan.lower_bound_bytes)}; peak of "
        f"{format_bytes(memory_over_time(plan)[peak].used_bytes)} at {step_title(plan, peak)}"
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="11" fill="currentColor">',
        f"<title>{escape(title)}</title>",
        *_heading(title, below, width),
        f'<rect class="peak" x="{_LEFT + peak * step_width:.1f}" y="{_TOP}" width="{step_width:.1f}" '
        f'height="{_HEIGHT}" fill-opacity="0.12"/>',
    ]
    for i, buffer in enumerate(plan.buffers):
        colour, top = _COLOURS[i % len(_COLOURS)], y(buffer.offset + buffer.bytes)
        parts.append(_rectangle(buffer, colour, step_width, top, y, f"{i}" if numbered else ""))
    parts.append(_level("arena", plan.arena_bytes, y(plan.arena_bytes), "none", drawn_width))
    parts.append(_level("lower bound", plan.lower_bound_bytes, y(plan.lower_bound_bytes), "6 4", drawn_width))
    parts += _axis(steps, step_width, drawn_width)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _heading(title: str, below: str, width: int) -> list[str]:
    """Two lines above the drawing; in a narrow one from the edge, and the second in two."""
    if width >= _NARROW:
        return [
            f'<text x="{_LEFT}" y="20" font-size="15">{escape(title)}</text>',
            f'<text x="{_LEFT}" y="38">{escape(below)}</text>',
        ]
    first, _, second = below.partition("; ")
    return [
        f'<text x="2" y="14" font-size="13">{escape(_cut(title, int((width - 4) / 7.4)))}</text>',
        f'<text x="2" y="30">{escape(first)}</text>',
        f'<text x="2" y="45">{escape(_cut(second, int((width - 4) / _CHARACTER)))}</text>',
    ]


def _cut(text: str, room: int) -> str:
    """As many letters as there is room for."""
    return text if len(text) <= room else text[: room - 1] + "…"


def _rectangle(
    buffer: Buffer, colour: str, step_width: float, top: float, y: Callable[[int], float], number: str
) -> str:
    x = _LEFT + buffer.first * step_width
    width = (buffer.last - buffer.first + 1) * step_width
    height = y(buffer.offset) - top
    about = f"{buffer.name}: {format_bytes(buffer.bytes)} at {buffer.offset:,}, steps {buffer.first} to {buffer.last}"
    label = ""
    room = int((width - 6) / _CHARACTER)
    said = number if number and len(buffer.name) > room else buffer.name
    if height >= 13 and room >= (len(number) or 3):
        label = f'<text x="{x + 3:.1f}" y="{top + height / 2 + 4:.1f}" fill="#10131a">{escape(_cut(said, room))}</text>'
    return (
        f'<g><title>{escape(about)}</title><rect class="buffer" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" fill="{colour}" fill-opacity="0.8" stroke="#333" stroke-width="0.6"/>{label}</g>'
    )


def _level(name: str, count: int, y: float, dashes: str, drawn_width: float) -> str:
    return (
        f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_LEFT + drawn_width}" y2="{y:.1f}" stroke="#c1121f" '
        f'stroke-dasharray="{dashes}"/><text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
        f"<title>{name}</title>{count:,} B</text>"
    )


def _axis(steps: int, step_width: float, drawn_width: float) -> list[str]:
    """The steps' numbers, as many as are readable."""
    bottom = _TOP + _HEIGHT
    every = max(1, round(28 / step_width))
    parts = [f'<line x1="{_LEFT}" y1="{bottom}" x2="{_LEFT + drawn_width}" y2="{bottom}" stroke="currentColor"/>']
    for step in range(0, steps, every):
        x = _LEFT + (step + 0.5) * step_width
        parts.append(f'<text x="{x:.1f}" y="{bottom + 15}" text-anchor="middle">{step}</text>')
    parts.append(f'<text x="{_LEFT + drawn_width / 2}" y="{bottom + 32}" text-anchor="middle">step of execution</text>')
    return parts
