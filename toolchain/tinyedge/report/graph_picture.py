"""The graph of a model and its activations over time, drawn as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from tinyedge.artifacts.inspection import BoardLayer, InspectedOperator, Inspection
from tinyedge.report.inspect import shape_text

_ROW, _BOX, _TOP = 46, 32, 34
"""pixels from one operator to the next, of its box, and above the first"""
_CHARACTER = 6.4
_MOST_LANES = 8
_LANE = 10
_BARS_LEFT = 0.45
"""share of the width that names take"""


def graph_svg(found: Inspection, width: int) -> str:
    """Operators from top to bottom in the order of the file, with an arrow from each to every one that reads it.

    An arrow to the next operator goes straight down, any other along a lane at the right.
    """
    made_by = {key: place for place, operator in enumerate(found.operators) for key in operator.outputs}
    far = any(
        made_by.get(key, place) < place - 1 for place, operator in enumerate(found.operators) for key in operator.inputs
    )
    box = width - 8 - (_MOST_LANES * _LANE + 12 if far else 0)
    height = _TOP + _ROW * max(len(found.operators), 1) + 8
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="currentColor">',
        f"<title>{escape(found.model)}: {len(found.operators)} operators</title>",
        f'<text x="8" y="20">{escape(_inputs_text(found, box))}</text>',
    ]
    on_board = {layer.operator: layer for layer in found.layers if layer.operator is not None}
    for place, operator in enumerate(found.operators):
        top = _TOP + place * _ROW
        parts += _node(found, operator, top, box, on_board)
        for key in dict.fromkeys(operator.inputs):
            if key in made_by:
                parts.append(_arrow(made_by[key], place, box, width))
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _inputs_text(found: Inspection, box: int) -> str:
    names = (f"{found.tensor(key).dtype} {shape_text(found.tensor(key))}" for key in found.inputs)
    return _cut(f"input {'; '.join(names)}", box)


def _node(
    found: Inspection, operator: InspectedOperator, top: int, box: int, on_board: Mapping[int, BoardLayer]
) -> list[str]:
    output = found.tensor(operator.outputs[0]) if operator.outputs else None
    shape = "" if output is None else f"{output.dtype} {shape_text(output)}"
    first = _cut(f"{operator.index} {operator.name}  {shape}", box)
    second = _cut(_figures(operator, on_board), box)
    return [
        f"<g><title>{escape(f'operator {operator.index} ({operator.name})')}</title>"
        f'<rect x="4" y="{top}" width="{box}" height="{_BOX}" rx="4" fill="#8ecae6" fill-opacity="0.35" '
        f'stroke="currentColor" stroke-width="0.7"/>'
        f'<text x="10" y="{top + 13}">{escape(first)}</text>'
        f'<text x="10" y="{top + 27}" font-size="11">{escape(second)}</text></g>'
    ]


def _figures(operator: InspectedOperator, on_board: Mapping[int, BoardLayer]) -> str:
    layer = on_board.get(operator.index)
    if layer is not None:
        return f"{layer.constant_bytes:,} B, {layer.instructions:,} instructions"
    macs = "" if not operator.macs else f"{operator.macs:,} MACs"
    weights = "" if operator.weights is None else f"{operator.weights.bytes:,} B of weights"
    return ", ".join(text for text in (macs, weights) if text)


def _arrow(source: int, target: int, box: int, width: int) -> str:
    start, end = _TOP + source * _ROW + _BOX, _TOP + target * _ROW
    if target == source + 1:
        x = 4 + box / 2
        return f'<path d="M{x:.0f},{start} V{end - 5} m-4,0 l4,5 l4,-5 z" fill="currentColor" stroke="currentColor"/>'
    lane = min(width - 6, 4 + box + _LANE * (1 + (source + target) % _MOST_LANES))
    return (
        f'<path d="M{4 + box},{start - _BOX / 2:.0f} H{lane} V{end + _BOX / 2:.0f} H{4 + box + 6}" fill="none" '
        f'stroke="currentColor" stroke-opacity="0.7"/><path d="M{4 + box},{end + _BOX / 2:.0f} l6,-4 v8 z"/>'
    )


def activations_svg(found: Inspection, width: int) -> str:
    """A bar for each operator, in the order of the file: the bytes of activations that are alive."""
    row, left = 18, int(width * _BARS_LEFT)
    height = 30 + row * max(len(found.operators), 1)
    largest = max(found.peak_bytes, 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="11" fill="currentColor">',
        f"<title>{escape(found.model)}: activations over time</title>",
        f'<text x="4" y="16" font-size="12">{found.peak_bytes:,} B at most</text>',
    ]
    for place, operator in enumerate(found.operators):
        top = 24 + place * row
        length = max((width - left - 90) * operator.alive_bytes / largest, 1)
        parts.append(
            f'<text x="4" y="{top + 11}">{escape(_cut(f"{operator.index} {operator.name}", left))}</text>'
            f'<rect x="{left}" y="{top}" width="{length:.1f}" height="13" fill="#219ebc"/>'
            f'<text x="{left + length + 4:.1f}" y="{top + 11}">{operator.alive_bytes:,}</text>'
        )
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _cut(text: str, width: float) -> str:
    room = max(int((width - 12) / _CHARACTER), 4)
    return text if len(text) <= room else text[: room - 1] + "…"
