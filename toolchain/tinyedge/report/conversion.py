"""The report of a conversion: how close the model comes to its source, and where precision goes, layer by layer."""

from __future__ import annotations

from html import escape

from tinyedge.artifacts import Conversion, LayerNoise
from tinyedge.report.table import format_bytes, format_pairs, render_table

_BAR = 20
"""characters of a full bar"""
_FULL_DB = 50.0
"""what a full bar stands for: int8 rarely keeps more"""
_NAME = 34
"""characters of a layer's name in the table"""
_POOR_DB = 20.0


def render_conversion(conversion: Conversion) -> str:
    """Figures, the table of layers, and what a person should know."""
    model = conversion.model
    parts = [
        f"{model.name}: {conversion.source} to {conversion.types}",
        format_pairs(_pairs(conversion)),
    ]
    if conversion.layers:
        rows = [
            (
                short_name(layer),
                layer.operator,
                layer.dtype,
                "-" if layer.snr_db is None else f"{layer.snr_db:.1f}",
                _bar(layer),
            )
            for layer in conversion.layers
        ]
        parts.append(render_table(("layer", "operator", "type", "SNR dB", ""), rows))
    parts += [f"note: {note}" for note in conversion.notes]
    return "\n\n".join(parts) + "\n"


def _pairs(conversion: Conversion) -> list[tuple[str, str]]:
    model = conversion.model
    of = f"of {conversion.samples:,} samples"
    pairs = [
        (
            "largest difference",
            f"{conversion.largest_difference:.4g}; the source's largest {conversion.largest_value:.4g}",
        )
    ]
    if conversion.agreement is not None:
        pairs.append(("same answer", f"{100 * conversion.agreement:.2f} % {of}"))
    if model.float_accuracy is not None:
        pairs.append(("accuracy of the source", f"{model.float_accuracy:.4f} {of}"))
    if model.int8_accuracy is not None:
        pairs.append((f"accuracy in {conversion.types}", f"{model.int8_accuracy:.4f} {of}"))
    metrics = dict(model.metrics)
    if (untrained := metrics.pop("int8_accuracy_without_training", None)) is not None:
        pairs.append(("the same without training", f"{untrained:.4f}"))
    pairs += [(name.replace("_", " "), f"{value:,.6g}") for name, value in sorted(metrics.items())]
    size = f"{format_bytes(len(model.tflite))}, float {format_bytes(conversion.float_bytes)}"
    pairs.append(("model", f"{size}, {model.digest[:16]}"))
    return [*pairs, ("classes", ", ".join(model.class_names))] if model.class_names else pairs


def short_name(layer: LayerNoise) -> str:
    """The end of a layer's name, which `--layer` takes for the whole.

    >>> short_name(LayerNoise("net/conv/Relu;net/conv/convolution", "conv_2d", (1,), "int8", None))
    'net/conv/Relu'
    """
    first = layer.name.split(";")[0]
    return first if len(first) <= _NAME else first[-_NAME:]


def _bar(layer: LayerNoise) -> str:
    if layer.snr_db is None:
        return ""
    return "#" * max(1, min(_BAR, round(_BAR * layer.snr_db / _FULL_DB)))


_LEFT, _TOP, _ROW, _WIDTH = 320, 48, 22, 480
"""of the picture, in pixels"""


def conversion_svg(conversion: Conversion) -> str:
    """A standalone SVG document: a bar for each layer, as long as its signal-to-noise ratio."""
    layers = [layer for layer in conversion.layers if layer.snr_db is not None]
    top = max([_FULL_DB, *(layer.snr_db or 0.0 for layer in layers)])
    height = _TOP + _ROW * len(layers) + 16
    width = _LEFT + _WIDTH + 80
    title = f"{conversion.model.name}: signal-to-noise ratio of each layer in {conversion.types}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="11">',
        f"<title>{escape(title)}</title>",
        f'<text x="12" y="24" font-size="15">{escape(title)}</text>',
    ]
    for row, layer in enumerate(layers):
        y, decibel = _TOP + _ROW * row, layer.snr_db or 0.0
        length = max(1.0, _WIDTH * max(decibel, 0.0) / top)
        colour = "#f4a3a8" if decibel < _POOR_DB else "#8ecae6"
        parts += [
            f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(short_name(layer))}</text>',
            f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_ROW - 4}" fill="{colour}">'
            f"<title>{escape(f'{layer.operator} {layer.dtype}: {layer.name}')}</title></rect>",
            f'<text x="{_LEFT + length + 6:.1f}" y="{y + 13}">{decibel:.1f} dB</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])
