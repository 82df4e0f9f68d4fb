"""`python -m benchmarks`: a table of models by optimization, and budgets that hold it.

`python -m benchmarks boards`: a table of boards by model and compiler.
`python -m benchmarks models FOLDER`: public models, beside TensorFlow Lite Micro.
`python -m benchmarks calibrate`: modelled latencies against published ones, and the constants between them.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path

import click

from benchmarks import board_table, calibration
from benchmarks import storage as weight_storage
from benchmarks.boards import measure_cells, plan_cells
from benchmarks.budgets import BUDGETS, broken_promises, compare, lost, read_budgets, write_budgets
from benchmarks.compression import compression
from benchmarks.model_runs import models
from benchmarks.models import LEVELS, Refused, Row, measure_model
from benchmarks.table import document, render
from tinyedge.boards import list_boards, load_board
from tinyedge.cli.ui import Ui
from tinyedge.errors import CheckError, ModelError, TinyEdgeError, UsageError
from tinyedge.jobs.train import find_model, train
from tinyedge.paths import write_whole
from tinyedge.train.recipe import Recipe

_MODELS = Path(__file__).resolve().parents[2] / "shared" / "models"
_KEYWORD_SPOTTING = _MODELS / "kws_ref_model.tflite"
_COMPILERS = ("zig", "gcc")


@click.command()
@click.argument("models", type=click.Path(path_type=Path), nargs=-1)
@click.option("-b", "--board", default="nrf52840dk", show_default=True)
@click.option("--compiler", type=click.Choice(["zig", "gcc"]), default="zig", show_default=True)
@click.option("--optimize", "levels", multiple=True, type=click.Choice(LEVELS), help="Default: all three.")
@click.option("--samples", default=5, show_default=True, help="Random samples.")
@click.option("--thorough", is_flag=True, help="200 random samples, and structured ones: constants and ramps.")
@click.option("-d", "--build-dir", type=click.Path(path_type=Path), help="Default: a temporary folder.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--check", is_flag=True, help="Fail when a figure grew over its budget or a promise.")
@click.option("--update-budgets", is_flag=True, help="Write what was found as the new budgets.")
def main(
    models: tuple[Path, ...],
    board: str,
    compiler: str,
    levels: tuple[str, ...],
    samples: int,
    thorough: bool,
    build_dir: Path | None,
    as_json: bool,
    check: bool,
    update_budgets: bool,
) -> None:
    """Build, run in an emulator, verify and measure MODELS: .tflite files or folders of them.

    A model of a folder that tinyedge refuses is listed with the reason; one that is named, or that has budgets where
    they are checked, is an error.

    Without MODELS: the folder ../shared/models beside the checkout. `python -m benchmarks boards --help` is the table
    of all boards.
    """
    board = load_board(board).name
    files = _find(models or (_MODELS,))
    rows: list[Row] = []
    refused: list[Refused] = []
    with tempfile.TemporaryDirectory(prefix="tinyedge-benchmarks-") as temporary:
        for file in files:
            try:
                for level in levels or LEVELS:
                    rows.append(
                        measure_model(
                            file,
                            board,
                            compiler,
                            level,
                            samples=200 if thorough else samples,
                            structured=thorough,
                            build_dir=(build_dir or Path(temporary)).absolute(),
                        )
                    )
                    row = rows[-1]
                    click.echo(f"{row.model} {level}: {row.samples} samples, {row.mismatches} mismatches", err=True)
            except ModelError as error:
                if file in models:
                    raise
                refused.append(Refused(file.stem, hashlib.sha256(file.read_bytes()).hexdigest(), error.what))
                click.echo(f"{file.stem}: refused", err=True)
    if not rows:
        raise CheckError("every model is refused:\n       " + "\n       ".join(model.reason for model in refused))
    if update_budgets:
        write_budgets(rows)
    budgets = read_budgets()
    table = json.dumps(document(rows, refused, budgets), indent=2) if as_json else render(rows, refused, budgets)
    click.echo(table)
    if check and (gone := lost(refused, budgets)):
        raise CheckError("models that have budgets are refused:\n       " + "\n       ".join(gone))
    _refuse(rows, compare(rows, budgets) if check else [], broken_promises(rows, budgets) if check else [])


def _find(paths: tuple[Path, ...]) -> list[Path]:
    """The .tflite files that are named, and those in folders that are."""
    files: list[Path] = []
    for path in paths:
        found = sorted(path.glob("*.tflite")) if path.is_dir() else [path]
        if not found or not all(file.is_file() for file in found):
            raise UsageError(f"there is no model in `{path}`", hint="name a .tflite file, or a folder that holds some")
        files += found
    return files


def _refuse(rows: list[Row], grown: list[str], broken: list[str]) -> None:
    wrong = [row for row in rows if row.mismatches]
    if wrong:
        names = ", ".join(f"{row.model} {row.optimize}" for row in wrong)
        raise CheckError(f"outputs differ from TensorFlow Lite Micro's: {names}")
    if broken:
        raise CheckError("more than is promised:\n       " + "\n       ".join(broken), hint="make it smaller or faster")
    if grown:
        raise CheckError(
            "over budget by more than 3 %:\n       " + "\n       ".join(grown),
            hint=f"make it smaller, or if the growth is meant: `--update-budgets` writes {BUDGETS.name}",
        )


@click.command()
@click.argument("models", nargs=-1)
@click.option("-b", "--board", "names", multiple=True, help="Default: every board.")
@click.option("--compiler", "compilers", multiple=True, type=click.Choice(_COMPILERS), help="Default: both.")
@click.option("--samples", type=click.IntRange(min=1), default=10, show_default=True, help="Samples of each run.")
@click.option("-d", "--build-dir", type=click.Path(path_type=Path), default=Path("build"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), help="Write the table as Markdown too.")
def boards(
    models: tuple[str, ...],
    names: tuple[str, ...],
    compilers: tuple[str, ...],
    samples: int,
    build_dir: Path,
    as_json: bool,
    page: Path | None,
) -> None:
    """Build MODELS for every board, check the images, run them in every emulator that has the board, and verify.

    MODELS are recipes by name, or .tflite files. Without any: digits, and keyword spotting if its file is in
    ../shared/models beside the checkout. A recipe is trained unless the build folder holds it. What fails is in the
    table, and makes the exit code 1; a model that does not fit a board, or an emulator that is not installed, does not.
    """
    ui = Ui(as_json=as_json)
    chosen = models or _default_models()
    folder = build_dir.absolute()
    for model in chosen:
        found = find_model(model, ui)
        if isinstance(found, Recipe):
            train(found, folder, ui)
    wanted = [load_board(name) for name in names] or list_boards()
    planned, left_out = plan_cells(wanted, chosen, compilers or _COMPILERS)
    with ui.progress("boards") as progress:
        cells = list(measure_cells(planned, folder, samples, progress))
    ui.result(board_table.render(cells, left_out), board_table.document(cells, left_out))
    if page is not None:
        write_whole(page, board_table.render_page(cells, left_out).encode())
    if failed := [cell for cell in cells if cell.problems]:
        raise CheckError(f"{len(failed)} of {len(cells)} failed; the table says what")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def calibrate(as_json: bool) -> None:
    """Fit the constants of the memory model to published latencies, again, with one network left out each time.

    The counts and latencies are stored in benchmarks/calibrations; the constants stand in [calibration] of the board's
    file, which a test compares. Example: `python -m benchmarks calibrate`
    """
    found = [calibration.calibrate(published) for published in calibration.read_published()]
    click.echo(json.dumps(calibration.document(found), indent=2) if as_json else calibration.render(found))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.option("--markdown", is_flag=True, help="Print the table of docs/compression.md.")
def storage(as_json: bool, markdown: bool) -> None:
    """Count layers whose weights are stored in fewer bytes, on emulated cores, and compare them with int8.

    Takes about two minutes. Example: `python -m benchmarks storage --markdown`
    """
    rows = weight_storage.measure_all()
    if as_json:
        click.echo(json.dumps(weight_storage.document(rows), indent=2))
    else:
        click.echo(weight_storage.render_markdown(rows) if markdown else weight_storage.render(rows))


def _default_models() -> tuple[str, ...]:
    return ("digits", *(str(path) for path in [_KEYWORD_SPOTTING] if path.is_file()))


if __name__ == "__main__":
    others = {
        "boards": boards,
        "calibrate": calibrate,
        "compression": compression,
        "models": models,
        "storage": storage,
    }
    named = sys.argv[1] if sys.argv[1:2] and sys.argv[1] in others else ""
    command, arguments = (others[named], sys.argv[2:]) if named else (main, sys.argv[1:])
    name = f"python -m benchmarks {named}".rstrip()
    try:
        command.main(arguments, prog_name=name, standalone_mode=False)
    except click.Abort:
        click.echo("error: interrupted", err=True)
        sys.exit(130)
    except click.ClickException as refused:
        refused.show()
        sys.exit(refused.exit_code)
    except TinyEdgeError as error:
        click.echo(f"error: {error.what}" + (f"\n\nhint: {error.hint}" if error.hint else ""), err=True)
        sys.exit(error.exit_code)
