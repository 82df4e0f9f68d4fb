"""`tinyedge calibrate`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.options import joint_choices, shared
from tinyedge.cli.ui import Ui
from tinyedge.jobs.calibrate import calibrate
from tinyedge.jobs.choices import Choices
from tinyedge.paths import write_whole
from tinyedge.report.calibration import calibration_document, calibration_file, render_calibration
from tinyedge.report.files import require_folder


@click.command(
    "calibrate", epilog="Example: tinyedge calibrate kws.tflite ad.tflite --board nucleo_f446re --port /dev/ttyACM0"
)
@joint_choices
@click.option("--port", help="Serial port of the board's console, or socket://host:port. Default: found by USB ids.")
@click.option("--samples", type=click.IntRange(min=1), default=3, show_default=True, help="Of each model.")
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: calibration-BOARD.toml."
)
@shared
def command(choices: Choices, port: str | None, samples: int, output: Path | None, ui: Ui) -> None:
    """Find how long a board of yours waits for its memory, and write it for `--calibration` of other commands.

    MODELs, two or more, are recipes or .tflite files; `tinyedge flash` of the same ones has written them to the board
    as one firmware. Each layer is measured on the board and counted in the emulator.
    """
    if output is not None:
        require_folder(output)
    with ui.commands_logged():
        found = calibrate(choices, ui, port=port, samples=samples)
    target = output or Path(f"calibration-{found.board.name}.toml")
    write_whole(target, calibration_file(found).encode())
    ui.result(
        f"{render_calibration(found)}\nwritten to {target}\n", calibration_document(found) | {"file": str(target)}
    )
