"""`tinyedge build`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from tinyedge.artifacts import Protocols
from tinyedge.cli.config import project_folder
from tinyedge.cli.options import joint_choices, shared
from tinyedge.cli.ui import Ui
from tinyedge.jobs.build import build
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.lock import build_locked
from tinyedge.report.json import build_document
from tinyedge.report.text import render_build


@click.command("build", epilog="Example: tinyedge build digits --board nrf52840")
@joint_choices
@click.option(
    "--protocol",
    type=click.Choice(["tinyedge", "mlperf"]),
    default="tinyedge",
    show_default=True,
    help="What the firmware speaks: with `run` and `verify`, or with MLPerf Tiny's runner.",
)
@click.option("--locked", is_flag=True, help="Refuse what is not as tinyedge.lock says.")
@shared
def command(choices: Choices, protocol: Protocols, locked: bool, ui: Ui) -> None:
    """Build the firmware of a model for a board.

    MODEL is a recipe's name or folder, a .tflite, or what `tinyedge convert` takes, with `--data`; without it, `model`
    of tinyedge.toml or [tool.tinyedge]. Several become one firmware; `models = [...]` names them there. Writes a
    project folder that `make` can build by hand, in which each model is a C library (`model/<name>.h`), and
    firmware.elf, .hex, .bin and .uf2 beside it.
    """
    with ui.commands_logged():
        chosen = replace(choices, protocol=protocol)
        built = build_locked(chosen, project_folder(Path.cwd()), ui) if locked else build(chosen, ui)
    ui.result(
        render_build(built.project, built.image, built.folder, built.arena),
        build_document(built.project, built.image, built.arena),
    )
