"""`tinyedge lock`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.config import project_folder
from tinyedge.cli.options import joint_choices, shared
from tinyedge.cli.ui import Ui
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.lock import lock
from tinyedge.report.lock import lock_document, render_lock


@click.command("lock", epilog="Example: tinyedge lock digits --board nrf52840")
@joint_choices
@shared
def command(choices: Choices, ui: Ui) -> None:
    """Build the firmware of a model and write down what it was made from, in tinyedge.lock beside tinyedge.toml.

    That is: versions of tinyedge, Python, packages and compiler, and digests of the board file, the templates, the
    recipe, its data, the model, the generated project and the image. `tinyedge build --locked` refuses what differs.
    """
    with ui.commands_logged():
        found, path = lock(choices, project_folder(Path.cwd()), ui)
    ui.result(render_lock(found, path), lock_document(found, path))
