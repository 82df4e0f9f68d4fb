"""The memory plan over time as a picture: one rectangle for each buffer, steps to the right, addresses upwards."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from tinyedge.artifacts import Buffer, Plan
from tinyedge.report.memory import memory_over_time, peak_step, step_count, step_title
from tinyedge.report.table import format_bytes

_LEFT, _TOP, _RIGHT, _BOTTOM = 90, 56, 16, 40
_WIDTH, _HEIGHT = 840, 400
"""of the drawing inside its margins, in pixels"""
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


def plan_svg(plan: Plan) -> str:
    """A standalone SVG document: buffers, the arena's size, its lower bound, and the step of the peak."""
    steps = step_count(plan)
    step_width = _WIDTH / steps
    top_bytes = max(plan.arena_bytes, plan.lower_bound_bytes, 1)
    peak = peak_step(plan)
    width, height = _LEFT + _WIDTH + _RIGHT, _TOP + _HEIGHT + _BOTTOM

    def y(offset: int) -> float:
        return _TOP + _HEIGHT * (1 - offset / top_bytes)

    title = f"{plan.graph.name}: arena {format_bytes(plan.arena_bytes)}"
    below = (
        f"lower bound {format_bytes(plan.lower_bound_bytes)}; peak of "
        f"{format_bytes(memory_over_time(plan)[peak].used_bytes)} at {step_title(plan, peak)}"
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="11">',
        f"<title>{escape(title)}</title>",
        f'<text x="{_LEFT}" y="20" font-size="15">{escape(title)}</text>',
        f'<text x="{_LEFT}" y="38">{escape(below)}</text>',
        f'<rect class="peak" x="{_LEFT + peak * step_width:.1f}" y="{_TOP}" width="{step_width:.1f}" '
        f'height="{_HEIGHT}" fill="#000" fill-opacity="0.12"/>',
    ]
    for i, buffer in enumerate(plan.buffers):
        parts.append(_rectangle(buffer, _COLOURS[i % len(_COLOURS)], step_width, y(buffer.offset + buffer.bytes), y))
    parts.append(_level("arena", plan.arena_bytes, y(plan.arena_bytes), "none"))
    parts.append(_level("lower bound", plan.lower_bound_bytes, y(plan.lower_bound_bytes), "6 4"))
    parts += _axis(steps, step_width)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _rectangle(buffer: Buffer, colour: str, step_width: float, top: float, y: Callable[[int], float]) -> str:
    x = _LEFT + buffer.first * step_width
    width = (buffer.last - buffer.first + 1) * step_width
    height = y(buffer.offset) - top
    about = f"{buffer.name}: {format_bytes(buffer.bytes)} at {buffer.offset:,}, steps {buffer.first} to {buffer.last}"
    label = ""
    room = int((width - 6) / _CHARACTER)
    if height >= 13 and room >= 3:
        name = buffer.name if len(buffer.name) <= room else buffer.name[: room - 1] + "…"
        label = f'<text x="{x + 3:.1f}" y="{top + height / 2 + 4:.1f}">{escape(name)}</text>'
    return (
        f'<g><title>{escape(about)}</title><rect class="buffer" x="{x:.1f}" y="{top:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" fill="{colour}" fill-opacity="0.8" stroke="#333" stroke-width="0.6"/>{label}</g>'
    )


def _level(name: str, count: int, y: float, dashes: str) -> str:
    return (
        f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_LEFT + _WIDTH}" y2="{y:.1f}" stroke="#c1121f" '
        f'stroke-dasharray="{dashes}"/><text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">'
        f"<title>{name}</title>{count:,} B</text>"
    )


def _axis(steps: int, step_width: float) -> list[str]:
    """The steps' numbers, as many as are readable."""
    bottom = _TOP + _HEIGHT
    every = max(1, round(28 / step_width))
    parts = [f'<line x1="{_LEFT}" y1="{bottom}" x2="{_LEFT + _WIDTH}" y2="{bottom}" stroke="#333"/>']
    for step in range(0, steps, every):
        x = _LEFT + (step + 0.5) * step_width
        parts.append(f'<text x="{x:.1f}" y="{bottom + 15}" text-anchor="middle">{step}</text>')
    parts.append(f'<text x="{_LEFT + _WIDTH / 2}" y="{bottom + 32}" text-anchor="middle">step of execution</text>')
    return parts
