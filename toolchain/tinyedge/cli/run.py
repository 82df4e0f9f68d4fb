"""`tinyedge run`."""

from __future__ import annotations

import click

from tinyedge.artifacts import Measured
from tinyedge.cli.options import choices as with_choices
from tinyedge.cli.options import measuring, shared
from tinyedge.cli.ui import Ui
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.measure import BrokenRunError
from tinyedge.jobs.run import run
from tinyedge.report.files import RunFiles
from tinyedge.report.json import run_document
from tinyedge.report.percentiles import percentiles_document, render_percentiles
from tinyedge.report.text import render_run
from tinyedge.report.verdict import judge


@click.command("run", epilog="Example: tinyedge run digits --board nrf52840")
@with_choices
@click.option("--emulator", default="auto", show_default=True, help="Which emulator; `auto` takes the board's first.")
@measuring
@shared
def command(
    choices: Choices,
    emulator: str,
    inputs: str | None,
    samples: int | None,
    files: RunFiles,
    ui: Ui,
) -> None:
    """Build, run in an emulator, verify every output byte against TensorFlow Lite Micro, and measure.

    MODEL is a recipe's name or folder, a .tflite, or what `tinyedge convert` takes, with `--data`; without it, `model`
    of tinyedge.toml or [tool.tinyedge].
    """
    with ui.commands_logged():
        try:
            measured = run(choices, ui, emulator_name=emulator, inputs=inputs, samples=samples)
        except BrokenRunError as broken:
            show(broken.partial, ui, files)
            raise broken.error from broken
    show(measured, ui, files)
    judge(measured)


def show(measured: Measured, ui: Ui, files: RunFiles) -> None:
    """Write the files that were asked for, and print the report."""
    files.write(measured)
    for name, value in measured.statistics.items():
        ui.detail(f"emulator {name}: {value:,.1f}")
    ui.result(
        render_run(measured) + render_percentiles(measured), run_document(measured) | percentiles_document(measured)
    )
