"""`tinyedge outdated`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.config import load_config, project_folder
from tinyedge.cli.options import shared
from tinyedge.cli.ui import Ui
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.lock import find_drifts, require_lock
from tinyedge.report.lock import drifts_document, render_drifts


@click.command("outdated", epilog="Example: tinyedge outdated")
@shared
def command(ui: Ui) -> None:
    """Show what is not as tinyedge.lock says: packages, compiler, board files, templates, recipes, data, models.

    Nothing is trained or built, so what training would make of a changed recipe is not told.
    """
    config = load_config(Path.cwd())
    folder = project_folder(Path.cwd())
    build_dir = (config.build_dir or Path("build")).absolute()
    basis = Choices("", "", "zig", None, build_dir, tflm=config.tflm, calibration=config.calibration)
    drifts = find_drifts(require_lock(folder), folder, basis, ui)
    ui.result(render_drifts(drifts), drifts_document(drifts))
