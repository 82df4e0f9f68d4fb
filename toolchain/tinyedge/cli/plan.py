"""`tinyedge plan`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge import pipeline
from tinyedge.artifacts import Program
from tinyedge.cli.options import choices as with_choices
from tinyedge.cli.options import shared
from tinyedge.cli.ui import Ui
from tinyedge.errors import UsageError
from tinyedge.paths import write_whole
from tinyedge.report.json import plan_document
from tinyedge.report.svg import plan_svg
from tinyedge.report.text import render_plan


@click.command("plan", epilog="Example: tinyedge plan digits --board nrf52840 --svg memory.svg")
@with_choices
@click.option(
    "--svg", type=click.Path(dir_okay=False, path_type=Path), help="Draw the memory over time into this file."
)
@shared
def command(choices: pipeline.Choices, svg: Path | None, ui: Ui) -> None:
    """Show which kernel runs each layer of a model on a board, in what order, and where its tensors lie in memory."""
    prepared = pipeline.prepare(choices, ui)
    if isinstance(prepared.plan, Program):
        raise UsageError(
            "the runtime `tflm` plans its memory on the device: there is no plan to show",
            hint="leave out `--runtime tflm`",
        )
    if svg is not None:
        write_whole(svg, plan_svg(prepared.plan).encode())
    ui.result(render_plan(prepared.plan), plan_document(prepared.plan))
