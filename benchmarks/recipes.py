"""`python -m benchmarks.recipes`: the recipes that come with tinyedge, trained and run on an emulated nrf52840.

Trains each fold and seed, keeps what came out in benchmarks/recipes.json, and writes the tables between the marks of
docs/recipes.md from that file. What is there already, of a recipe and seed, is replaced; the rest stays.
"""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import click

from benchmarks.recipe_tables import render_page
from benchmarks.results import read_results, write_results
from tinyedge.artifacts import QuantizedModel
from tinyedge.cli.ui import Ui
from tinyedge.errors import CheckError, UsageError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.last_training import choose
from tinyedge.jobs.run import run
from tinyedge.jobs.train import train
from tinyedge.paths import write_whole
from tinyedge.train.recipe import Recipe, find_recipe

RESULTS = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "recipes.md"
BOARD = "nrf52840dk"
SCHEMA = "tinyedge.recipes/1"
_SAMPLES = 100
"""that are emulated"""
_PACKAGES = ("tensorflow", "tf-keras", "numpy")


@click.command()
@click.argument("names", nargs=-1)
@click.option("--seed", "seeds", type=int, multiple=True, help="Default: that of the recipe. Several: give it again.")
@click.option("--data", "places", multiple=True, metavar="NAME=PATH", help="Where the data of a recipe lies.")
@click.option("-d", "--build-dir", type=click.Path(path_type=Path), help="Default: a temporary folder.")
@click.option("--results", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), default=PAGE, show_default=True)
def main(
    names: tuple[str, ...],
    seeds: tuple[int, ...],
    places: tuple[str, ...],
    build_dir: Path | None,
    results: Path,
    page: Path,
) -> None:
    """Train the recipes NAMES, run each on an emulated board, and write the tables into PAGE.

    Without NAMES: write PAGE anew from what is known.

    Example: python -m benchmarks.recipes activity --seed 1 --seed 2 --data activity=seglearn-1.2.5-py3-none-any.whl
    """
    where = dict(place.partition("=")[::2] for place in places)
    if unknown := sorted(set(where) - set(names)):
        raise UsageError(f"--data names `{unknown[0]}`, which is not trained", hint="give its name as well")
    with tempfile.TemporaryDirectory(prefix="tinyedge-recipes-") as temporary:
        folder = (build_dir or Path(temporary)).absolute()
        for name in names:
            recipe = choose(find_recipe(name), data=Path(where[name]) if name in where else None)
            for seed in seeds or (recipe.seed,):
                found = measure_recipe(choose(recipe, seed=seed), folder, Ui())
                _put(results, name, seed, found)
    write_whole(page, render_page(page.read_text(encoding="utf-8"), _read(results)).encode())


def measure_recipe(recipe: Recipe, build_dir: Path, ui: Ui) -> dict[str, Any]:
    """What each fold of a recipe gives, and what the model of the first costs. Raises: CheckError for a wrong byte."""
    folds = []
    board: dict[str, Any] = {}
    for change, folded in recipe.each_fold() or (({}, recipe),):
        model = train(folded, build_dir, ui)
        folds.append({"data": change, "digest": model.digest, "metrics": _judging(model.metrics)})
        board = board or _on_board(model, recipe.optimize, build_dir)
    return {
        "versions": {
            "python": platform.python_version(),
            **{package: metadata.version(package) for package in _PACKAGES},
            "machine": platform.machine(),
        },
        "folds": folds,
        "board": board,
    }


def _judging(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in metrics.items() if name != "train_seconds"}


def _on_board(model: QuantizedModel, optimize: str, build_dir: Path) -> dict[str, Any]:
    measured = run(Choices(model, BOARD, "zig", optimize, build_dir), Ui(), samples=_SAMPLES)
    if measured.run.mismatches or measured.run.instructions is None:
        raise CheckError(f"`{model.name}` has {measured.run.mismatches} mismatches on {BOARD}")
    size = measured.built.image.size
    return {
        "board": BOARD,
        "compiler": measured.built.image.compiler,
        "optimize": optimize,
        "samples": measured.run.samples,
        "accuracy": measured.run.device_accuracy,
        "instructions": int(measured.run.instructions.value),
        "flash_bytes": size.flash_bytes,
        "ram_bytes": size.ram_bytes,
        "arena_bytes": measured.built.project.arena_bytes,
    }


def _read(results: Path) -> dict[str, Any]:
    """recipe -> seed -> what `measure_recipe` found."""
    return read_results(results, SCHEMA, "recipes")


def _put(results: Path, name: str, seed: int, found: Mapping[str, Any]) -> None:
    recipes = _read(results)
    recipes.setdefault(name, {})[str(seed)] = found
    ordered = {each: dict(_by_seed(recipes[each].items())) for each in sorted(recipes)}
    write_results(results, SCHEMA, "recipes", ordered)


def _by_seed(items: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return sorted(items, key=lambda item: int(item[0]))


if __name__ == "__main__":
    main()
