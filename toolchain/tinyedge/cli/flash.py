"""`tinyedge flash`."""

from __future__ import annotations

import click

from tinyedge.cli.options import joint_choices, shared
from tinyedge.cli.ui import Ui
from tinyedge.flash.contract import TIMEOUT_S, UNTOUCHED
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.flash import FlashChoices, flash, plan_flash
from tinyedge.report.device import flash_document, flash_plan_document, render_flash, render_flash_plan


@click.command("flash", epilog="Example: tinyedge flash digits --board nrf52840")
@joint_choices
@click.option("--tool", help="The flash tool. Default: the board's first that is installed.")
@click.option("--port", help="Serial port of the board's console, or socket://host:port. Default: found by USB ids.")
@click.option("--probe", default="", help="Which one: probe serial number, bootloader port, UF2 drive, gdb server.")
@click.option("--timeout", type=click.FloatRange(min=0.1), default=TIMEOUT_S, show_default=True, help="Seconds.")
@click.option("--no-banner", is_flag=True, help="Do not read the banner afterwards.")
@click.option("--dry-run", is_flag=True, help="Build, print what would be done, and touch nothing.")
@shared
def command(
    choices: Choices,
    tool: str | None,
    port: str | None,
    probe: str,
    timeout: float,
    no_banner: bool,
    dry_run: bool,
    ui: Ui,
) -> None:
    """Build, write the image to a board, verify it, and read its banner to prove that it runs.

    MODEL is a recipe's name or folder, a .tflite, or what `tinyedge convert` takes, with `--data`; without it, `model`
    of tinyedge.toml or [tool.tinyedge]. What was touched is always said.
    """
    how = FlashChoices(tool, port, probe, timeout, confirm=not no_banner)
    with ui.commands_logged():
        if dry_run:
            plan = plan_flash(choices, how, ui)
            ui.result(render_flash_plan(plan), flash_plan_document(plan))
            ui.note(f"dry run: {UNTOUCHED}")
            return
        flashed = flash(choices, how, ui)
    ui.result(render_flash(flashed), flash_document(flashed))
