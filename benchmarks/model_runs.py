"""`python -m benchmarks models FOLDER`: public models, compiled and by TensorFlow Lite Micro, on an emulated Cortex-M4.

What runs gave is kept in benchmarks/model_runs.json, and docs/model-table.md is written from that file.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from benchmarks.model_table import render, render_page
from benchmarks.models import LEVELS
from benchmarks.public_models import PublicModel, find_files, read_list
from benchmarks.results import read_results, write_results
from tinyedge.artifacts import Measured, Silence
from tinyedge.cli.ui import Ui
from tinyedge.errors import CheckError, TinyEdgeError, UsageError
from tinyedge.graph.ir import Graph
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.prepare import prepare
from tinyedge.jobs.run import run
from tinyedge.ops import parse_graph
from tinyedge.paths import write_whole

RESULTS = Path(__file__).with_suffix(".json")
PAGE = Path(__file__).resolve().parents[1] / "docs" / "model-table.md"
SCHEMA = "tinyedge.model_runs/1"
BOARDS = ("nrf52840dk", "mps2_an386")
"""the second where a model does not fit the first: both are a Cortex-M4"""
TFLM = "tflm"
_SAMPLES = 3


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--only", "names", multiple=True, metavar="NAME", help="Of the list; give it again for several.")
@click.option("--optimize", "levels", multiple=True, type=click.Choice(LEVELS), help="Default: all three.")
@click.option("--tflm", type=click.Path(exists=True, file_okay=False, path_type=Path), envvar="TINYEDGE_TFLM",
              help="A tree of TensorFlow Lite Micro: run the models by it too. Default: TINYEDGE_TFLM.")  # fmt: skip
@click.option("--missing", is_flag=True, help="Only what is not known yet.")
@click.option("-d", "--build-dir", type=click.Path(path_type=Path), help="Default: a temporary folder.")
@click.option("--results", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, show_default=True)
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), default=PAGE, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def models(
    folder: Path,
    names: tuple[str, ...],
    levels: tuple[str, ...],
    tflm: Path | None,
    missing: bool,
    build_dir: Path | None,
    results: Path,
    page: Path,
    as_json: bool,
) -> None:
    """Run the public models of benchmarks/public_models.toml whose files are in FOLDER, and write PAGE.

    Every output is compared with TensorFlow Lite Micro's. With --tflm each model is run by TensorFlow Lite Micro as
    well, beside which the table has ratios. What was found before and is not run again stays.

    Example: python -m benchmarks models ~/models --only person_detect
    """
    found = find_files(folder)
    chosen = [model for model in read_list() if model.sha256 in found and (not names or model.name in names)]
    if unknown := sorted(set(names) - {model.name for model in chosen}):
        raise UsageError(f"no file of `{unknown[0]}` is in `{folder}`", hint="benchmarks/public_models.toml lists all")
    if not chosen:
        raise UsageError(f"no model of the list is in `{folder}`", hint="benchmarks/public_models.toml lists them")
    ui = Ui(as_json=as_json)
    wanted = (*(levels or LEVELS), *([TFLM] if tflm else []))
    with tempfile.TemporaryDirectory(prefix="tinyedge-models-") as temporary:
        for model in chosen:
            entries = read_results(results, SCHEMA, "models")
            entry = entries.get(model.name, {})
            for how in wanted:
                if missing and how in entry.get("runs", {}):
                    continue
                ui.note(f"{model.name}: {how}")
                into = (build_dir or Path(temporary)).absolute()
                entry = _measured(model, found[model.sha256], how, tflm, entry, into)
                write_results(results, SCHEMA, "models", entries | {model.name: entry})
    entries = read_results(results, SCHEMA, "models")
    write_whole(page, render_page(page.read_text(encoding="utf-8"), entries).encode())
    ui.result(render(entries), {"schema": SCHEMA, "models": entries})
    wrong = [f"{name} {how}" for name, entry in entries.items() for how, ran in entry.get("runs", {}).items()
             if ran.get("mismatches")]  # fmt: skip
    if wrong:
        raise CheckError(f"outputs differ from TensorFlow Lite Micro's: {', '.join(wrong)}")


def _measured(
    model: PublicModel, path: Path, how: str, tflm: Path | None, entry: Mapping[str, Any], build_dir: Path
) -> dict[str, Any]:
    """The entry of a model with one more run; with the reason in its place where there can be none."""
    runs = dict(entry.get("runs", {}))
    boards = [entry["board"]] if "board" in entry else list(BOARDS)
    body: dict[str, Any] = {"sha256": model.sha256, **entry}
    for board in boards:
        level, runtime = ("balanced", "tflm") if how == TFLM else (how, "aot")
        choices = Choices(str(path), board, "zig", level, build_dir, runtime, tflm)
        try:
            runs[how] = measure(choices)
            body |= {"board": board, "macs": runs[how].pop("macs")}
            break
        except TinyEdgeError as error:
            runs[how] = {"refused": error.what.splitlines()[0]}
    return body | {"runs": runs}


def measure(choices: Choices) -> dict[str, Any]:
    """One run of a model. Raises: TinyEdgeError when it cannot be built or run"""
    measured = run(choices, Silence(), inputs="random:1", samples=_SAMPLES)
    ran, built = measured.run, measured.built
    original = prepare(choices, Silence()).original
    assert ran.instructions is not None
    assert ran.cycles is not None
    return {
        "macs": sum(layer.macs for layer in parse_graph(original)),
        "instructions": int(ran.instructions.value),
        "cycles": int(ran.cycles.value),
        "arena_bytes": built.project.arena_bytes,
        "flash_bytes": built.image.size.flash_bytes,
        "mismatches": ran.mismatches,
        "kinds": _by_kind(original, measured),
    }


def _by_kind(original: Graph, measured: Measured) -> dict[str, int]:
    """Instructions of all layers, by the operators that the file has in their places."""
    names = {operator.index: operator.name for operator in original.operators}
    kinds: dict[str, int] = defaultdict(int)
    for result in measured.run.layers:
        kinds[names.get(result.index, result.operator)] += result.instructions or 0
    return dict(sorted(kinds.items()))
