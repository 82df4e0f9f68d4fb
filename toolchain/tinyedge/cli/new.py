"""`tinyedge new`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.config import Config, load_config
from tinyedge.cli.options import shared
from tinyedge.cli.ui import Ui
from tinyedge.jobs.new import DEFAULT_BOARD, NewChoices, new
from tinyedge.new.registry import templates
from tinyedge.report.new import new_document, render_new


@click.command("new", epilog="Example: tinyedge new wand --from gesture --with-example-data")
@click.argument("name", type=click.Path(path_type=Path))
@click.option("--from", "template", metavar="TEMPLATE", help=f"{', '.join(templates())}.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Look at this data (it stays where it is), and propose the task, the network and the recipe.",
)
@click.option("-b", "--board", help=f"What the network is sized for. Default: the settings', else {DEFAULT_BOARD}.")
@click.option("--with-example-data", "with_example", is_flag=True, help="Make up a small data set, to try everything.")
@click.option("--dry-run", is_flag=True, help="Say what would be written, and write nothing.")
@shared
def command(
    name: Path, template: str | None, data: Path | None, board: str | None, with_example: bool, dry_run: bool, ui: Ui
) -> None:
    """Start a project of your own: a recipe, a network, a place for the data, CI.

    NAME is the folder, which must not be there yet, and the model's name. The recipe has every key with what it means,
    and why it has its value. In the folder `tinyedge train`, `build` and `run` need no further words.
    """
    chosen = board or load_config(Path.cwd()).board or DEFAULT_BOARD
    project = new(NewChoices(name, template, data, chosen, with_example, dry_run), Config, ui)
    ui.result(render_new(project), new_document(project))
