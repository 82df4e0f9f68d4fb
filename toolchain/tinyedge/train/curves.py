"""The curves of a training: what each epoch gave, drawn as a PNG."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_PER_INCH = 100
_SIZE = (8.0, 4.5)
"""inches"""


def draw_curves(model: str, epochs: Sequence[Mapping[str, Any]]) -> bytes:
    """A PNG of the losses on the left, and of the validation metrics on the right where there are some.

    epochs  rows with `stage`, `epoch`, `loss`, and what the validation gave

    Raises: ImportError when matplotlib is not installed
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    metrics = [name for name in _names(epochs) if name.startswith("validation_") and name != "validation_loss"]
    figure = Figure(figsize=_SIZE, dpi=_PER_INCH, layout="constrained")
    axes = figure.subplots(1, 2 if metrics else 1, squeeze=False)[0]
    for place, names in zip(axes, (["loss", "validation_loss"], metrics), strict=False):
        for name in names:
            points = [(at, row[name]) for at, row in enumerate(epochs, 1) if name in row]
            if points:
                place.plot(*zip(*points, strict=True), marker=".", label=name.replace("_", " "))
        for at, stage in _stages(epochs):
            place.axvline(at + 0.5, color="0.8", linewidth=1)
            place.annotate(
                stage, (at + 0.6, 0.99), xycoords=("data", "axes fraction"), va="top", fontsize=8, color="0.5"
            )
        place.set_xlabel("epoch")
        place.grid(visible=True, color="0.9")
        place.legend()
    if all(row["loss"] > 0 for row in epochs):
        axes[0].set_yscale("log")
    figure.suptitle(f"{model}: {len(epochs)} epochs")
    stream = io.BytesIO()
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(stream, metadata={"Software": None})
    return stream.getvalue()


def _names(epochs: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in epochs for name in row))


def _stages(epochs: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, str]]:
    """(epochs before it, name) of each stage, where there are several."""
    starts = [at for at, row in enumerate(epochs) if at == 0 or row["stage"] != epochs[at - 1]["stage"]]
    if len(starts) > 1:
        yield from ((at, str(epochs[at]["stage"])) for at in starts)
