"""`tinyedge train`."""

from __future__ import annotations

from pathlib import Path

import click

from tinyedge.cli.config import load_config
from tinyedge.cli.options import shared
from tinyedge.cli.ui import Ui
from tinyedge.errors import UsageError
from tinyedge.jobs.last_training import choose, keep_last_training
from tinyedge.jobs.train import find_model, train, train_folds, write_curves
from tinyedge.report.folds import render_folds
from tinyedge.report.json import folds_document, train_document
from tinyedge.report.text import render_training


@click.command("train", epilog="Example: tinyedge train digits")
@click.argument("model", required=False)
@click.option("-d", "--build-dir", type=click.Path(file_okay=False, path_type=Path), help="Default: build.")
@click.option("--again", is_flag=True, help="Train even if nothing changed since the last time.")
@click.option("--data", type=click.Path(path_type=Path), help="The data, instead of what [data] names.")
@click.option("--quick", is_flag=True, help="A few epochs, as [quick] says: shows that all works, and no more.")
@click.option("--folds", is_flag=True, help="Train once for each of [folds]; print each, the mean and the worst.")
@click.option("--seed", type=click.IntRange(0, (1 << 32) - 1), help="Default: that of the recipe.")
@shared
def command(
    model: str | None,
    build_dir: Path | None,
    again: bool,
    data: Path | None,
    quick: bool,
    folds: bool,
    seed: int | None,
    ui: Ui,
) -> None:
    """Train, prune, quantize and convert the model of a recipe.

    MODEL is the name of a recipe (`digits`, `sine`) or a folder with a recipe.toml; without it, `model` of
    tinyedge.toml or [tool.tinyedge]. The result is a full-int8 .tflite, kept until something it depends on changes.
    A training that was interrupted goes on after its last whole epoch. What each epoch gave is written into the build
    folder, as epochs.json and curves.png. Commands behind it take the model with the same `--data` and `--seed`.
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
    recipe = choose(found, quick=quick, data=data, seed=seed)
    folder = (build_dir or config.build_dir or Path("build")).absolute()
    if folds:
        trained_folds = train_folds(recipe, folder, ui, again=again)
        keep_last_training(recipe, folder, data, seed)
        ui.result(render_folds(trained_folds), folds_document(trained_folds))
        return
    trained = train(recipe, folder, ui, again=again)
    keep_last_training(recipe, folder, data, seed)
    for path in write_curves(recipe, folder, ui):
        ui.detail(f"written: {path}")
    ui.result(render_training(trained), train_document(trained))
