"""`tinyedge verify`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.options import budgeted, joint_choices, measuring, shared
from tinyedge.cli.run import require_budgets, show_each
from tinyedge.cli.ui import Ui
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.verify import verify_each
from tinyedge.measure.power import energy_of, read_trace
from tinyedge.report.energy import Duty
from tinyedge.report.files import RunFiles


@click.command("verify", epilog="Example: tinyedge verify digits --board nrf52840 --samples 100")
@joint_choices
@click.option("--port", help="Serial port of the board's console, or socket://host:port. Default: found by USB ids.")
@measuring
@click.option(
    "--power", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.csv", help="A recorded power trace."
)
@click.option("--trigger", default="D0", show_default=True, help="What marks inferences in it: D0, D0:low, >4mA.")
@click.option("--volts", type=click.FloatRange(min=0.1), help="Of the supply, where the trace has no voltage.")
@budgeted
@shared
def command(
    choices: Choices,
    port: str | None,
    inputs: str | None,
    samples: int | None,
    files: RunFiles,
    duty: Duty | None,
    power: Path | None,
    trigger: str,
    volts: float | None,
    update_budget: bool,
    ui: Ui,
) -> None:
    """Stream samples through a board that was flashed, verify every output byte, and measure in cycles of its clock.

    MODEL is a recipe's name or folder, a .tflite, or what `tinyedge convert` takes, with `--data`; without it, `model`
    or `models` of tinyedge.toml or [tool.tinyedge]. The board must run the very image that building it gives; several
    models are one image. `--power` takes what a PPK2, a Joulescope or an LPM01A recorded of such inferences.
    """
    require_budgets(choices, update=update_budget)
    traced = None if power is None else energy_of(read_trace(power), trigger, volts)
    with ui.commands_logged():
        runs = verify_each(choices, ui, port=port, inputs=inputs, samples=samples)
        show_each(runs, ui, files, duty, traced, update_budget=update_budget)
