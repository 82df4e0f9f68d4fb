"""`tinyedge run`."""

from __future__ import annotations

import io
from pathlib import Path

import click
import numpy as np

from tinyedge.artifacts import Measured
from tinyedge.cli.options import choices as with_choices
from tinyedge.cli.options import shared
from tinyedge.cli.ui import Ui
from tinyedge.errors import CheckError, UsageError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.measure import BrokenRunError
from tinyedge.jobs.run import run
from tinyedge.paths import write_whole
from tinyedge.report.budgets import check_budget
from tinyedge.report.html import run_html
from tinyedge.report.json import run_document
from tinyedge.report.junit import run_junit
from tinyedge.report.percentiles import percentiles_document, render_percentiles
from tinyedge.report.text import render_run

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("run", epilog="Example: tinyedge run digits --board nrf52840")
@with_choices
@click.option("--emulator", default="auto", show_default=True, help="Which emulator; `auto` takes the board's first.")
@click.option("--inputs", metavar="SPEC", help="FILE.npy, random:SEED or zeros. Default: the test set, else random:1.")
@click.option("--samples", type=click.IntRange(min=1), help="How many samples. Default: the whole test set, else 20.")
@click.option("--save-outputs", type=FILE, help="Write the device's outputs as .npy.")
@click.option("--html", type=FILE, help="Write the report as a page.")
@click.option("--junit", type=FILE, help="Write what was checked as JUnit XML.")
@shared
def command(
    choices: Choices,
    emulator: str,
    inputs: str | None,
    samples: int | None,
    save_outputs: Path | None,
    html: Path | None,
    junit: Path | None,
    ui: Ui,
) -> None:
    """Build, run in an emulator, verify every output byte against TensorFlow Lite Micro, and measure.

    MODEL is a recipe's name or folder, or a .tflite; without it, `model` of tinyedge.toml or [tool.tinyedge].
    """
    check_files(save_outputs)
    with ui.commands_logged():
        try:
            measured = run(choices, ui, emulator_name=emulator, inputs=inputs, samples=samples)
        except BrokenRunError as broken:
            show(broken.partial, ui, save_outputs, html, junit)
            raise broken.error from broken
    show(measured, ui, save_outputs, html, junit)
    judge(measured)


def check_files(save_outputs: Path | None) -> None:
    """Raises: UsageError for a file that could not be written as asked, before anything is done."""
    if save_outputs is not None and save_outputs.suffix != ".npy":
        raise UsageError(f"`{save_outputs}` does not end in .npy", hint="`--save-outputs outputs.npy`")


def show(measured: Measured, ui: Ui, save_outputs: Path | None, html: Path | None, junit: Path | None) -> None:
    """Print the report, and write the files that were asked for."""
    if save_outputs is not None:
        array = io.BytesIO()
        np.save(array, measured.run.outputs)
        write_whole(save_outputs, array.getvalue())
    if html is not None:
        write_whole(html, run_html(measured).encode())
    if junit is not None:
        write_whole(junit, run_junit(measured).encode())
    for name, value in measured.statistics.items():
        ui.detail(f"emulator {name}: {value:,.1f}")
    ui.result(
        render_run(measured) + render_percentiles(measured), run_document(measured) | percentiles_document(measured)
    )


def judge(measured: Measured) -> None:
    """Raise for what makes the run a failure: mismatches first, then the budget."""
    result = measured.run
    first = result.first_mismatch
    if first is not None:
        where = "" if first.layer is None else f"; the first layer that differs is {first.layer} `{first.operator}`"
        raise CheckError(
            f"{result.mismatches:,} of {result.samples:,} samples differ from TensorFlow Lite Micro: the first is "
            f"sample {first.sample}, output byte {first.output_byte}{where}",
            hint="this is a defect of a kernel: please report the model, the board and the compiler",
        )
    if measured.built.prepared.budget is not None:
        check_budget(measured.built.prepared.budget, measured.built, result)
