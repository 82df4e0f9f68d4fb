"""`tinyedge verify`."""

from __future__ import annotations

import click

from tinyedge.cli.options import joint_choices, measuring, shared
from tinyedge.cli.run import show_each
from tinyedge.cli.ui import Ui
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.verify import verify_each
from tinyedge.report.energy import Duty
from tinyedge.report.files import RunFiles


@click.command("verify", epilog="Example: tinyedge verify digits --board nrf52840 --samples 100")
@joint_choices
@click.option("--port", help="Serial port of the board's console, or socket://host:port. Default: found by USB ids.")
@measuring
@shared
def command(
    choices: Choices,
    port: str | None,
    inputs: str | None,
    samples: int | None,
    files: RunFiles,
    duty: Duty | None,
    ui: Ui,
) -> None:
    """Stream samples through a board that was flashed, verify every output byte, and measure in cycles of its clock.

    MODEL is a recipe's name or folder, a .tflite, or what `tinyedge convert` takes, with `--data`; without it, `model`
    or `models` of tinyedge.toml or [tool.tinyedge]. The board must run the very image that building it gives; several
    models are one image.
    """
    with ui.commands_logged():
        show_each(verify_each(choices, ui, port=port, inputs=inputs, samples=samples), ui, files, duty)
