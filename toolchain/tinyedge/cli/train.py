"""`tinyedge train`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.config import load_config
from tinyedge.cli.options import shared
from tinyedge.cli.ui import Ui
from tinyedge.errors import UsageError
from tinyedge.jobs.train import find_model, train
from tinyedge.report.json import train_document
from tinyedge.report.text import render_training


@click.command("train", epilog="Example: tinyedge train digits")
@click.argument("model", required=False)
@click.option("-d", "--build-dir", type=click.Path(file_okay=False, path_type=Path), help="Default: build.")
@click.option("--again", is_flag=True, help="Train even if nothing changed since the last time.")
@shared
def command(model: str | None, build_dir: Path | None, again: bool, ui: Ui) -> None:
    """Train, prune, quantize and convert the model of a recipe.

    MODEL is the name of a recipe (`digits`, `sine`) or a folder with a recipe.toml; without it, `model` of
    tinyedge.toml or [tool.tinyedge]. The result is a full-int8 .tflite, kept until something it depends on changes.
    """
    config = load_config(Path.cwd())
    spec = model or config.model
    if not spec:
        raise UsageError("no model given", hint="name a recipe: `tinyedge train digits`")
    found = find_model(spec, ui)
    if isinstance(found, Path):
        raise UsageError(
            f"`{spec}` is a finished model; there is nothing to train", hint=f"`tinyedge run {spec} --board nrf52840`"
        )
    trained = train(found, (build_dir or config.build_dir or Path("build")).absolute(), ui, again=again)
    ui.result(render_training(trained), train_document(trained))
