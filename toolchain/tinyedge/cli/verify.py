"""`tinyedge verify`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.options import choices as with_choices
from tinyedge.cli.options import shared
from tinyedge.cli.run import FILE, check_files, judge, show
from tinyedge.cli.ui import Ui
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.measure import BrokenRunError
from tinyedge.jobs.verify import verify


@click.command("verify", epilog="Example: tinyedge verify digits --board nrf52840 --samples 100")
@with_choices
@click.option("--port", help="Serial port of the board's console, or socket://host:port. Default: found by USB ids.")
@click.option("--inputs", metavar="SPEC", help="FILE.npy, random:SEED or zeros. Default: the test set, else random:1.")
@click.option("--samples", type=click.IntRange(min=1), help="How many samples. Default: the whole test set, else 20.")
@click.option("--save-outputs", type=FILE, help="Write the device's outputs as .npy.")
@click.option("--html", type=FILE, help="Write the report as a page.")
@click.option("--junit", type=FILE, help="Write what was checked as JUnit XML.")
@shared
def command(
    choices: Choices,
    port: str | None,
    inputs: str | None,
    samples: int | None,
    save_outputs: Path | None,
    html: Path | None,
    junit: Path | None,
    ui: Ui,
) -> None:
    """Stream samples through a board that was flashed, verify every output byte, and measure in cycles of its clock.

    MODEL is a recipe's name or folder, or a .tflite; without it, `model` of tinyedge.toml or [tool.tinyedge]. The
    board must run the very image that building it gives.
    """
    check_files(save_outputs)
    with ui.commands_logged():
        try:
            measured = verify(choices, ui, port=port, inputs=inputs, samples=samples)
        except BrokenRunError as broken:
            show(broken.partial, ui, save_outputs, html, junit)
            raise broken.error from broken
    show(measured, ui, save_outputs, html, junit)
    judge(measured)
