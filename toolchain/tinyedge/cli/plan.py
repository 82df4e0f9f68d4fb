"""`tinyedge plan`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.options import choices as with_choices
from tinyedge.cli.options import shared
from tinyedge.cli.ui import Ui
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.prepare import plan
from tinyedge.paths import write_whole
from tinyedge.report.files import require_folder
from tinyedge.report.json import plan_document
from tinyedge.report.svg import plan_svg
from tinyedge.report.text import render_plan


@click.command("plan", epilog="Example: tinyedge plan digits --board nrf52840 --svg memory.svg")
@with_choices
@click.option(
    "--svg", type=click.Path(dir_okay=False, path_type=Path), help="Draw the memory over time into this file."
)
@shared
def command(choices: Choices, svg: Path | None, ui: Ui) -> None:
    """Show which kernel runs each layer of a model on a board, in what order, and where its tensors lie in memory."""
    if svg is not None:
        require_folder(svg)
    planned = plan(choices, ui)
    if svg is not None:
        write_whole(svg, plan_svg(planned).encode())
    ui.result(render_plan(planned), plan_document(planned))
