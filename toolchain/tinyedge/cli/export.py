"""`tinyedge export`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.options import library_choices, shared
from tinyedge.cli.ui import Ui
from tinyedge.export import worlds
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.export import ExportChoices, export
from tinyedge.report.export import export_document, render_export


@click.command("export", epilog="Example: tinyedge export digits --as arduino -o Digits")
@library_choices
@click.option("--as", "world", required=True, metavar="WORLD", help=f"Which world: {', '.join(worlds())}.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Where to. Default: MODEL-WORLD here."
)
@click.option("--name", help="The C name of the library, and of its model. Default: the model's own.")
@click.option("--zip", "zipped", is_flag=True, help="Write an archive instead: `-o FILE.zip`.")
@click.option("--force", is_flag=True, help="Write into a folder that holds something, over files of the same names.")
@shared
def command(
    choices: Choices, world: str, output: Path | None, name: str | None, zipped: bool, force: bool, ui: Ui
) -> None:
    """Write a model as a C library, in a project for the world you build in.

    MODEL is a recipe's name or folder, a .tflite, or what `tinyedge convert` takes, with `--data`; several become one
    library. Without `--board` the kernels are plain C99 that runs on any core; with it, the fastest for its core. Each
    project has an example that tests itself.
    """
    with ui.commands_logged():
        exported = export(choices, ExportChoices(world, output, name, zipped, force), ui)
    ui.result(render_export(exported), export_document(exported))
