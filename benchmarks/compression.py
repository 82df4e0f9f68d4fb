"""`python -m benchmarks compression`: every technique on a recipe, trained, run on an emulated board, and compared.

What each case and seed gave is kept in benchmarks/compression.json as soon as it is there; what is there is not trained
again. The table between the marks of docs/compression.md is made of that file.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.compression_table import render_page
from benchmarks.results import read_results, write_results
from tinyedge.artifacts.compression import ImageFigures
from tinyedge.artifacts.run import Run
from tinyedge.cli.ui import Ui
from tinyedge.errors import CheckError, UsageError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.compress import image_figures
from tinyedge.jobs.run import run
from tinyedge.jobs.train import train
from tinyedge.paths import write_whole
from tinyedge.train.compress import TECHNIQUES
from tinyedge.train.compress.contract import Technique
from tinyedge.train.recipe import Recipe, find_recipe

RESULTS = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "compression.md"
BOARD = "nrf52840dk"
SCHEMA = "tinyedge.compression/1"
INVERTED = Path(__file__).with_name("inverted_digits.py")
"""what the digits are adapted to"""
OWN_DATA = {"digits": {"shifted_copies": False}}
"""arguments of `load` that make many trainings bearable"""
FOUND = ("graft_", "exit_", "adapt_")
"""beginnings of the names of what techniques found out"""
_PACKAGES = ("tensorflow", "tf-keras", "tensorflow-model-optimization", "numpy")


@dataclass(frozen=True)
class Case:
    """Techniques in their order."""

    name: str
    techniques: tuple[Technique, ...]


def list_cases(recipe: Recipe) -> list[Case]:
    """Every technique by itself and the sensible chains; controls stand behind what they are of."""
    epochs, rate = max(1, recipe.fit.epochs // 2), recipe.fit.learning_rate

    def make(technique: str, **settings: Any) -> Technique:
        return TECHNIQUES[technique](**settings)

    def trained(technique: str, **settings: Any) -> Technique:
        return make(technique, **{"epochs": epochs, "learning_rate": rate / 2} | settings)

    def adapted(trains: str, **settings: Any) -> Technique:
        faster = 3 if trains == "all" else 10  # few parameters have a longer way to go
        return make("adapt", data=str(INVERTED), trains=trains, epochs=15, learning_rate=faster * rate, **settings)

    aware = make("quantize_aware", epochs=max(1, epochs // 2), learning_rate=rate / 10)
    zeros = trained("prune", sparsity=0.75, epochs=2 * epochs)
    shared, int4 = trained("cluster"), trained("int4")
    half = trained("prune_channels", macs=0.5, learning_rate=rate)
    on_board = trained("prune_channels", board=BOARD, instructions=0.5, learning_rate=rate)
    control = trained("prune_channels", macs=0.5, learning_rate=rate, from_scratch=True)
    cases = [
        ("int8 alone", ()),
        ("ptq, mse", (make("ptq"),)),
        ("quantize_aware", (aware,)),
        ("prune 75 %", (zeros,)),
        ("prune 75 %, quantize_aware", (zeros, aware)),
        ("prune 2:4", (trained("prune", sparsity=0.5, pattern="2:4"),)),
        ("cluster 16", (shared,)),
        ("cluster 16, quantize_aware", (shared, aware)),
        ("prune 75 %, cluster 16, quantize_aware", (zeros, shared, aware)),
        ("int4", (int4,)),
        ("int4 of 2 bits", (trained("int4", bits=2),)),
        ("prune_channels 0.5", (half,)),
        ("the same widths from scratch", (control,)),
        ("prune_channels to half of the instructions", (on_board,)),
        ("prune_channels 0.5, int4", (half, int4)),
        ("low_rank 0.9", (trained("low_rank"),)),
        ("low_rank, rank 12", (trained("low_rank", rank=12, learning_rate=rate),)),
        ("low_rank 0.9, CP", (trained("low_rank", form="cp"),)),
        ("hashed 16", (trained("hashed", learning_rate=rate),)),
        ("distill, self", (trained("distill", learning_rate=rate),)),
        ("graft", (trained("graft", learning_rate=rate),)),
        ("early_exit", (make("early_exit", lost=0.01),)),
        ("the network cut at that exit", (make("early_exit", lost=0.01, cut=True),)),
        ("early_exit, int4", (make("early_exit", lost=0.01), int4)),
    ]
    if recipe.name == "digits":
        cases += [
            ("adapt by adapters", (adapted("adapters", rank=4),)),
            ("adapt by half of the adapters", (adapted("adapters", share=0.5),)),
            ("adapt by the last layer", (adapted("last"),)),
            ("adapt by all", (adapted("all"),)),
        ]
    return [Case(name, techniques) for name, techniques in cases]


@click.command()
@click.argument("models", nargs=-1)
@click.option("--seed", "seeds", type=int, multiple=True, default=(1, 2, 3), show_default=True)
@click.option("--only", multiple=True, metavar="CASE", help="Cases by the name they have in the table. Default: all.")
@click.option("-d", "--build-dir", type=click.Path(path_type=Path), default=Path("build"), show_default=True)
@click.option("--results", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), default=PAGE, show_default=True)
def compression(
    models: tuple[str, ...], seeds: tuple[int, ...], only: tuple[str, ...], build_dir: Path, results: Path, page: Path
) -> None:
    """Try every technique on the recipes MODELS, and write the table into PAGE; without MODELS: of what is known.

    What was interrupted goes on. Example: python -m benchmarks compression digits --seed 1
    """
    ui = Ui()
    for seed in seeds:
        for name in models:
            recipe = find_recipe(name)
            recipe = replace(recipe, seed=seed).with_data(**OWN_DATA.get(name, {}))
            cases = list_cases(recipe)
            if unknown := sorted(set(only) - {case.name for case in cases}):
                raise UsageError(f"there is no case `{unknown[0]}`", hint=f"one of {', '.join(c.name for c in cases)}")
            for case in cases:
                if only and case.name not in only:
                    continue
                if str(seed) not in _read(results).get(name, {}).get(case.name, {}):
                    ui.note(f"{name}, seed {seed}: {case.name}")
                    _put(results, name, case.name, seed, measure_case(recipe, case, build_dir.absolute(), ui))
    if page.is_file():
        write_whole(page, render_page(page.read_text(encoding="utf-8"), _read(results)).encode())


def measure_case(recipe: Recipe, case: Case, build_dir: Path, ui: Ui) -> dict[str, Any]:
    """What a case gives. Raises: CheckError when a byte of the board differs from the oracle's."""
    model = train(replace(recipe, compress=case.techniques), build_dir, ui)
    measured = run(Choices(model, BOARD, "zig", recipe.optimize, build_dir), ui)
    figures: ImageFigures = image_figures(measured.built, measured.run)
    if figures.mismatches or model.labels is None:
        raise CheckError(f"`{case.name}` has {figures.mismatches} mismatches on {BOARD}")
    said = measured.run.outputs[0].reshape(measured.run.samples, -1).argmax(axis=1)
    return {
        "versions": {
            "python": platform.python_version(),
            **{package: metadata.version(package) for package in _PACKAGES},
            "compiler": measured.built.image.compiler,
        },
        "digest": model.digest,
        "float": _last_float(model.metrics, case),
        "int8": figures.accuracy,
        "device": measured.run.device_accuracy,
        "samples": measured.run.samples,
        "wrong": np.flatnonzero(said != model.labels[: len(said)]).tolist(),
        "flash_bytes": figures.flash_bytes,
        "constant_bytes": figures.constant_bytes,
        "ram_bytes": figures.ram_bytes,
        "instructions": _mean_instructions(measured.run, figures),
        "train_seconds": round(figures.train_seconds, 1),
        "found": {
            name: value for name, value in model.metrics.items() if name.startswith(FOUND) and name != "adapt_accuracy"
        },
    }


def _mean_instructions(run: Run, figures: ImageFigures) -> int | None:
    """The median of a network that always does the same, the mean of one that may answer early."""
    if run.exits is None or run.exits.mean_instructions is None:
        return figures.instructions
    return round(run.exits.mean_instructions)


def _last_float(metrics: Mapping[str, float], case: Case) -> float:
    """Of the model that the conversion got, before it was quantized."""
    names = [*(technique.name for technique in case.techniques), "float"]
    last = case.techniques[-1].name if case.techniques else "float"
    return metrics[f"{last}_accuracy"] if f"{last}_accuracy" in metrics else metrics[f"{names[-1]}_accuracy"]


def _read(results: Path) -> dict[str, Any]:
    """model -> case -> seed -> what `measure_case` found."""
    return read_results(results, SCHEMA, "models")


def _put(results: Path, model: str, case: str, seed: int, found: Mapping[str, Any]) -> None:
    models = _read(results)
    models.setdefault(model, {}).setdefault(case, {})[str(seed)] = found
    names = [each.name for each in list_cases(find_recipe(model))]
    models[model] = dict(sorted(models[model].items(), key=lambda item: names.index(item[0])))
    write_results(results, SCHEMA, "models", models)
