"""`tinyedge inspect`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.options import board_choices, shared
from tinyedge.cli.ui import Ui
from tinyedge.errors import UsageError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.inspect import inspect
from tinyedge.paths import write_whole
from tinyedge.report.files import require_folder
from tinyedge.report.graph_picture import activations_svg
from tinyedge.report.inspect import inspection_document, render_inspection
from tinyedge.report.inspect_page import inspection_html
from tinyedge.report.page import WIDE

_FILE = click.Path(dir_okay=False, path_type=Path)
_EXAMPLES = """\b
Examples: tinyedge inspect model.tflite
          tinyedge inspect model.tflite --board nrf52840 --html model.html"""


@click.command("inspect", epilog=_EXAMPLES)
@board_choices
@click.option("--tensors", is_flag=True, help="Every tensor too, with its quantization.")
@click.option("--html", type=_FILE, help="Write a page with the graph drawn.")
@click.option("--svg", type=_FILE, help="Draw the activations over time into this file.")
@shared
def command(
    choices: Choices, boards: tuple[str, ...], tensors: bool, html: Path | None, svg: Path | None, ui: Ui
) -> None:
    """Show what a model holds: operators, shapes, types, quantization, weights, activations, what passes do.

    Any .tflite is shown, float ones and those that cannot be built too, with the reason. With --board, every layer's
    bytes and predicted instructions there.
    """
    if len(boards) > 1:
        raise UsageError(f"layers are told of one board, not of {len(boards)}", hint=f"`--board {boards[0]}`")
    for path in (html, svg):
        if path is not None:
            require_folder(path)
    found = inspect(choices, ui, boards[0] if boards else None)
    if html is not None:
        write_whole(html, inspection_html(found).encode())
    if svg is not None:
        write_whole(svg, activations_svg(found, WIDE).encode())
    ui.result(render_inspection(found, tensors=tensors), inspection_document(found))
