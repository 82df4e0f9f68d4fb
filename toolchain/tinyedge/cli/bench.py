"""`tinyedge bench`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from tinyedge.artifacts import Measured
from tinyedge.cli.options import budgeted, sampling, several_choices, shared
from tinyedge.cli.run import judge_or_update
from tinyedge.cli.ui import Ui
from tinyedge.errors import UsageError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.measure import BrokenRunError
from tinyedge.jobs.run import run
from tinyedge.jobs.verify import verify
from tinyedge.report.bench import bench_document, render_bench
from tinyedge.report.bench_page import BenchFiles

_AUTO = "auto"
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("bench", epilog="Example: tinyedge bench digits --board nrf52840 --runtime aot,tflm --tflm DIR")
@several_choices
@click.option("--emulator", default=_AUTO, show_default=True, help="Which emulator; `auto` takes the board's first.")
@click.option("--port", help="A flashed board instead: serial port, socket://host:port, or `auto`: by its USB ids.")
@sampling
@click.option("--html", type=_FILE, help="Write the report as a page.")
@click.option("--junit", type=_FILE, help="Write what was checked as JUnit XML.")
@click.option("--markdown", type=_FILE, help="Write a summary for a pull request.")
@budgeted
@shared
def command(
    choices: tuple[Choices, ...],
    emulator: str,
    port: str | None,
    inputs: str | None,
    samples: int | None,
    html: Path | None,
    junit: Path | None,
    markdown: Path | None,
    update_budget: bool,
    ui: Ui,
) -> None:
    """Build and run a model with several runtimes, and print their figures side by side.

    Each output byte of each runtime is verified as in `tinyedge run`. All are built with one compiler. With `--port`,
    the board is measured that `tinyedge flash` has written: one runtime, aot unless `--runtime` says the other.
    """
    files = BenchFiles(html, junit, markdown)
    if port is not None:
        choices = (_flashed(choices, emulator),)
    runs = []
    with ui.commands_logged():
        for chosen in choices:
            try:
                runs.append(_measure(chosen, ui, emulator, port, inputs, samples))
            except BrokenRunError as broken:
                _show([*runs, broken.partial], ui, files)
                raise broken.error from broken
    _show(runs, ui, files)
    for measured in runs:
        has_budget = measured.built.prepared.budget is not None
        judge_or_update(measured, ui, update=update_budget and has_budget)


def _flashed(choices: Sequence[Choices], emulator: str) -> Choices:
    """The one that a board can run. Raises: UsageError when several were asked for, or an emulator too."""
    if emulator != _AUTO:
        raise UsageError("`--port` is a board, `--emulator` is none", hint=f"leave out `--emulator {emulator}`")
    asked = click.get_current_context().get_parameter_source("runtime") is not ParameterSource.DEFAULT
    if asked and len(choices) > 1:
        names = ",".join(chosen.runtime for chosen in choices)
        raise UsageError(f"a board runs one runtime, not `{names}`", hint=f"`--runtime {choices[0].runtime}`")
    return choices[0]


def _measure(
    chosen: Choices, ui: Ui, emulator: str, port: str | None, inputs: str | None, samples: int | None
) -> Measured:
    if port is None:
        return run(chosen, ui, emulator_name=emulator, inputs=inputs, samples=samples)
    return verify(chosen, ui, port=None if port == _AUTO else port, inputs=inputs, samples=samples)


def _show(runs: Sequence[Measured], ui: Ui, files: BenchFiles) -> None:
    files.write(runs)
    ui.result(render_bench(runs), bench_document(runs))
