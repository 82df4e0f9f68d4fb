"""What RAM can be traded for: plans as a table, as JSON, and as a picture of RAM against time."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from tinyedge.artifacts import RamCurve, RamPoint
from tinyedge.report.table import Cell, format_bytes, render_table

_LEFT, _TOP, _RIGHT, _BOTTOM = 84, 48, 24, 48
_WIDTH, _HEIGHT = 640, 320
"""of the drawing inside its margins, in pixels"""
_DECIMALS = 2


def render_curve(curve: RamCurve) -> str:
    """The plans, the smallest first: each step down the table costs RAM and saves time."""
    if not curve.points:
        return f"{curve.model} has no layers: there is no RAM to trade\n"
    fastest = min(point.cycles for point in curve.points)
    rows: list[tuple[Cell, ...]] = [
        (
            format_bytes(point.arena_bytes),
            point.cycles,
            f"{point.cycles / max(fastest, 1):.{_DECIMALS}f}",
            format_bytes(point.flash_bytes),
            streams(point.groups),
        )
        for point in curve.points
    ]
    headers = ("arena", "cycles (estimated)", "x", "flash", "operators as one stream of rows")
    least = curve.points[0].arena_bytes
    return (
        f"{curve.model} on {curve.core}: what RAM can be traded for\n\n{render_table(headers, rows)}\n\n"
        f"`--max-ram BYTES` takes the fastest plan that fits, from {least:,} on\n"
    )


def streams(groups: Sequence[tuple[int, int, int]]) -> str:
    """`0-9, 12-15`, or `none`."""
    return ", ".join(f"{first}-{last}" for first, last, _ in groups) or "none"


def curve_document(curve: RamCurve) -> dict[str, Any]:
    """`tinyedge.ram-curve/1`: the plans, the smallest first. Cycles and flash are the planner's estimates."""
    return {
        "schema": "tinyedge.ram-curve/1",
        "model": curve.model,
        "core": curve.core,
        "points": [
            {
                "arena_bytes": point.arena_bytes,
                "estimated_cycles": point.cycles,
                "estimated_flash_bytes": point.flash_bytes,
                "streams": [
                    {"first_operator": first, "last_operator": last, "calls": calls}
                    for first, last, calls in point.groups
                ],
            }
            for point in curve.points
        ],
    }


def curve_svg(curve: RamCurve) -> str:
    """A standalone SVG document: RAM to the right, cycles upwards, a dot for each plan."""
    width, height = _LEFT + _WIDTH + _RIGHT, _TOP + _HEIGHT + _BOTTOM
    most_ram = max((point.arena_bytes for point in curve.points), default=1)
    most_cycles = max((point.cycles for point in curve.points), default=1)

    def place(point: RamPoint) -> tuple[float, float]:
        return (
            _LEFT + _WIDTH * point.arena_bytes / (1.1 * most_ram),
            _TOP + _HEIGHT * (1 - point.cycles / (1.1 * most_cycles)),
        )

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="24" font-size="16">{escape(curve.model)} on {escape(curve.core)}: RAM against time'
        "</text>",
        f'<path d="M{_LEFT},{_TOP} V{_TOP + _HEIGHT} H{_LEFT + _WIDTH}" fill="none" stroke="#333333"/>',
        f'<text x="{_LEFT + _WIDTH}" y="{height - 12}" text-anchor="end">arena and state, bytes</text>',
        f'<text x="{_LEFT - 76}" y="{_TOP - 8}">cycles (estimated)</text>',
    ]
    line: list[str] = []
    for point in curve.points:
        x, y = place(point)
        line += [f"H{x:.1f}", f"V{y:.1f}"] if line else [f"M{x:.1f},{y:.1f}"]
    if line:
        parts.append(f'<path d="{" ".join(line)}" fill="none" stroke="#219ebc" stroke-width="2"/>')
    for number, point in enumerate(curve.points):
        x, y = place(point)
        title = f"{point.arena_bytes:,} B, {point.cycles:,} cycles; streams: {streams(point.groups)}"
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#023047"><title>{escape(title)}</title></circle>')
        if number in (0, len(curve.points) - 1):
            parts.append(
                f'<text x="{x:.1f}" y="{y - 10:.1f}" text-anchor="middle">{point.arena_bytes:,} B</text>'
                f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{point.cycles / 1e6:.2f} M</text>'
            )
    return "\n".join([*parts, "</svg>"]) + "\n"
