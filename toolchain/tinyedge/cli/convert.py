"""`tinyedge convert`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.config import load_config
from tinyedge.cli.options import converting, shared
from tinyedge.cli.ui import Ui
from tinyedge.convert import DATA_PAGE, DEFAULTS, TYPES, Settings
from tinyedge.errors import UsageError
from tinyedge.jobs.convert import convert_to_file
from tinyedge.paths import write_whole
from tinyedge.report.conversion import conversion_svg, render_conversion
from tinyedge.report.files import require_folder
from tinyedge.report.json import conversion_document

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "convert", epilog="Example: tinyedge convert net.keras --data test.npz --layer dense=int16x8 -o net.tflite"
)
@click.argument("source")
@converting
@click.option("-o", "--output", type=_FILE, help="The .tflite to write. Default: NAME_TYPES.tflite.")
@click.option("--types", type=click.Choice([*TYPES]), default="int8", show_default=True, help="Of all layers.")
@click.option(
    "--layer", "layers", multiple=True, metavar="NAME=TYPE", help="Another type for layers of that name, or part of it."
)
@click.option(
    "--calibrate", type=click.IntRange(min=1), default=DEFAULTS.calibrate, show_default=True,
    help="Samples that show the ranges.",
)  # fmt: skip
@click.option(
    "--samples", type=click.IntRange(min=1), default=DEFAULTS.samples, show_default=True,
    help="Samples to compare on, spread evenly.",
)  # fmt: skip
@click.option("--signature", help="Which function of the source, where it has several.")
@click.option(
    "--timeout", type=click.FloatRange(min=1), default=DEFAULTS.timeout_s, show_default=True, metavar="SECONDS",
    help="What the converter gets.",
)  # fmt: skip
@click.option(
    "--qat", type=click.IntRange(min=1), metavar="EPOCHS",
    help="Train a model of Keras quantization-aware first, on the labelled data.",
)  # fmt: skip
@click.option("--svg", type=_FILE, help="Draw the precision of each layer into this file.")
@click.option("--again", is_flag=True, help="Convert even if nothing changed since the last time.")
@shared
def command(
    source: str,
    data: Path | None,
    python: str | None,
    output: Path | None,
    types: str,
    layers: tuple[str, ...],
    calibrate: int,
    samples: int,
    signature: str | None,
    timeout: float,
    qat: int | None,
    svg: Path | None,
    again: bool,
    ui: Ui,
) -> None:
    """Convert a model to integers, and compare it with its source.

    SOURCE is a float .tflite, a .keras or .h5 of Keras, a SavedModel, a .onnx, a .pt2 of PyTorch, or a function that
    makes a PyTorch model, script.py:build. The data shows the range of every activation; with labels, it shows what the
    conversion costs.
    """
    for file in (output, svg):
        if file is not None:
            require_folder(file)
    found = data or load_config(Path.cwd()).data
    if found is None:
        raise UsageError("no data given", hint=f"`--data FILE.npz`: {DATA_PAGE}")
    choices = tuple(map(_choice, layers))
    settings = Settings(types, choices, calibrate, samples, signature, qat or 0, python, timeout)
    with ui.commands_logged():
        conversion, target = convert_to_file(source, found, output, settings, ui, again=again)
    if svg is not None:
        write_whole(svg, conversion_svg(conversion).encode())
    ui.result(f"{render_conversion(conversion)}\n{target}", conversion_document(conversion, target))


def _choice(text: str) -> tuple[str, str]:
    """`NAME=TYPE`. Raises: UsageError."""
    name, equals, kind = text.rpartition("=")
    if not equals or not name or kind not in TYPES:
        raise UsageError(
            f"`--layer {text}` names no layer and type", hint=f"NAME=TYPE, with a type of {', '.join(TYPES)}"
        )
    return name, kind
