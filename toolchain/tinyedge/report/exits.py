"""The early exit of a network in a report: the ways out, other thresholds, and a picture of accuracy against work."""

from __future__ import annotations

from html import escape

from tinyedge.artifacts.exits import ExitPoint, Exits
from tinyedge.report.table import Cell, format_share, render_table

_ROWS = 9
"""thresholds in the table"""
_LEFT, _TOP, _RIGHT, _BOTTOM = 64, 40, 24, 44
_HEIGHT = 260
"""of the drawing inside its margins, in pixels"""

Table = tuple[tuple[str, ...], list[tuple[Cell, ...]]]


def render_exits(exits: Exits) -> str:
    """Both tables, and what the threshold is."""
    return "\n\n".join([said_of(exits), render_table(*ways_table(exits)), render_table(*curve_table(exits))])


def said_of(exits: Exits) -> str:
    """One line.

    >>> from tinyedge.artifacts.exits import Way
    >>> said_of(Exits(20, 0.125, Way(3, None, 10), Way(1, None, 30), 15.0, 30, (ExitPoint(20, 0.75, None, 15.0),)))
    'early exit: logits that lead by more than 20 steps of 0.125, which is 2.5; mean instructions 0.500 of the whole'
    """
    text = (
        f"early exit: logits that lead by more than {exits.threshold} steps of {exits.scale:.4g}, which is "
        f"{exits.threshold * exits.scale:.3g}"
    )
    if exits.mean_instructions is None or not exits.late.instructions:
        return text
    return f"{text}; mean instructions {exits.mean_instructions / exits.late.instructions:.3f} of the whole"


def ways_table(exits: Exits) -> Table:
    """The samples that left early and those that went to the end."""
    rows: list[tuple[Cell, ...]] = [
        (name, way.samples, format_share(way.samples, exits.samples), _accuracy(way.accuracy), way.instructions)
        for name, way in (("early", exits.early), ("at the end", exits.late))
    ]
    mean = None if exits.mean_instructions is None else round(exits.mean_instructions)
    rows.append(("mean", exits.samples, "", _accuracy(_taken(exits).accuracy), mean))
    rows.append(("worst", exits.samples, "", "", exits.worst_instructions))
    return ("way out", "samples", "share", "accuracy", "instructions (counted)"), rows


def curve_table(exits: Exits) -> Table:
    """Some of the thresholds, that of the model among them."""
    inner = [point for point in exits.curve if point.threshold != exits.threshold]
    every = max(1, -(-len(inner) // (_ROWS - 1)))
    shown = sorted({*inner[::every], exits.curve[-1], _taken(exits)}, key=lambda point: point.threshold)
    rows: list[tuple[Cell, ...]] = [
        (
            f"{point.threshold}{' (the model)' if point.threshold == exits.threshold else ''}",
            format_share(round(point.rate * exits.samples), exits.samples),
            _accuracy(point.accuracy),
            None if point.instructions is None else round(point.instructions),
        )
        for point in shown
    ]
    return ("threshold", "leave early", "accuracy", "mean instructions"), rows


def exits_svg(exits: Exits, width: int = 648) -> str:
    """A standalone SVG document, so many pixels wide: the share that leaves early to the right, accuracy upwards, a dot
    for the model's threshold; empty without labels."""
    points = [(point, point.accuracy) for point in exits.curve if point.accuracy is not None]
    if not points:
        return ""
    drawn, height = width - _LEFT - _RIGHT, _TOP + _HEIGHT + _BOTTOM
    accuracies = [accuracy for _, accuracy in points]
    low, high = min(accuracies), max(accuracies)
    room = max((high - low) * 0.1, 0.005)
    low, high = low - room, high + room

    def place(point: ExitPoint, accuracy: float) -> str:
        return f"{_LEFT + drawn * point.rate:.1f},{_TOP + _HEIGHT * (high - accuracy) / (high - low):.1f}"

    taken = _taken(exits)
    title = f"threshold {exits.threshold}: {taken.rate:.3f} leave early"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12" fill="currentColor">',
        f"<title>{escape(title)}</title>",
        f'<text x="{_LEFT}" y="22" font-size="15">{escape(title)}</text>',
        f'<path d="M{_LEFT},{_TOP} V{_TOP + _HEIGHT} H{_LEFT + drawn}" fill="none" stroke="currentColor"/>',
    ]
    for value in (low + room, high - room):
        y = _TOP + _HEIGHT * (high - value) / (high - low)
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.3f}</text>')
    for share in (0.0, 0.5, 1.0):
        x = _LEFT + drawn * share
        parts.append(f'<text x="{x:.1f}" y="{_TOP + _HEIGHT + 18}" text-anchor="middle">{share:g}</text>')
    line = " ".join(place(point, accuracy) for point, accuracy in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="#219ebc" stroke-width="2"/>')
    if taken.accuracy is not None:
        across, up = place(taken, taken.accuracy).split(",")
        said = f"{taken.accuracy:.4f} of {exits.samples:,} samples"
        parts.append(f'<circle cx="{across}" cy="{up}" r="5" fill="#c1121f"><title>{escape(said)}</title></circle>')
    parts.append(f'<text x="{_LEFT + drawn}" y="{height - 8}" text-anchor="end">share that leaves early</text>')
    parts.append(f'<text x="2" y="{_TOP - 6}">accuracy</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _taken(exits: Exits) -> ExitPoint:
    """The point of the model's own threshold."""
    return next(point for point in exits.curve if point.threshold == exits.threshold)


def _accuracy(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4f}"
