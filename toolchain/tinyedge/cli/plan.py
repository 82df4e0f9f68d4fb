"""`tinyedge plan`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.options import choices as with_choices
from tinyedge.cli.options import shared
from tinyedge.cli.ui import Ui
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.prepare import plan
from tinyedge.jobs.prepare import ram_curve as find_curve
from tinyedge.paths import write_whole
from tinyedge.report.curve import curve_document, curve_svg, render_curve
from tinyedge.report.files import require_folder
from tinyedge.report.json import plan_document
from tinyedge.report.svg import plan_svg
from tinyedge.report.text import render_plan

_EXAMPLES = """\b
Examples: tinyedge plan digits --board nrf52840 --svg memory.svg
          tinyedge plan digits --board nrf52840 --ram-curve --svg curve.svg"""


@click.command("plan", epilog=_EXAMPLES)
@with_choices
@click.option(
    "--svg",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Draw the memory over time, or the curve, into this file.",
)
@click.option("--ram-curve", is_flag=True, help="Show instead what less RAM costs in time, plan by plan.")
@shared
def command(choices: Choices, svg: Path | None, ram_curve: bool, ui: Ui) -> None:
    """Show which kernel runs each layer of a model on a board, in what order, and where its tensors lie in memory."""
    if svg is not None:
        require_folder(svg)
    if ram_curve:
        curve = find_curve(choices, ui)
        if svg is not None:
            write_whole(svg, curve_svg(curve).encode())
        ui.result(render_curve(curve), curve_document(curve))
        return
    planned = plan(choices, ui)
    if svg is not None:
        write_whole(svg, plan_svg(planned).encode())
    ui.result(render_plan(planned), plan_document(planned))
