"""`tinyedge verify`."""

from __future__ import annotations

import click

from tinyedge.cli.options import choices as with_choices
from tinyedge.cli.options import measuring, shared
from tinyedge.cli.run import show
from tinyedge.cli.ui import Ui
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.measure import BrokenRunError
from tinyedge.jobs.verify import verify
from tinyedge.report.files import RunFiles
from tinyedge.report.verdict import judge


@click.command("verify", epilog="Example: tinyedge verify digits --board nrf52840 --samples 100")
@with_choices
@click.option("--port", help="Serial port of the board's console, or socket://host:port. Default: found by USB ids.")
@measuring
@shared
def command(
    choices: Choices,
    port: str | None,
    inputs: str | None,
    samples: int | None,
    files: RunFiles,
    ui: Ui,
) -> None:
    """Stream samples through a board that was flashed, verify every output byte, and measure in cycles of its clock.

    MODEL is a recipe's name or folder, a .tflite, or what `tinyedge convert` takes, with `--data`; without it, `model`
    of tinyedge.toml or [tool.tinyedge]. The board must run the very image that building it gives.
    """
    with ui.commands_logged():
        try:
            measured = verify(choices, ui, port=port, inputs=inputs, samples=samples)
        except BrokenRunError as broken:
            show(broken.partial, ui, files)
            raise broken.error from broken
    show(measured, ui, files)
    judge(measured)
