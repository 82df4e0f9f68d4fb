"""`tinyedge run`."""

from __future__ import annotations

from collections.abc import Iterable

import click

from tinyedge.artifacts import Measured, TracedEnergy
from tinyedge.cli.options import budgeted, joint_choices, measuring, shared
from tinyedge.cli.ui import Ui
from tinyedge.errors import UsageError
from tinyedge.jobs.budget import update_budget as write_budget
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.measure import BrokenRunError
from tinyedge.jobs.run import run_each
from tinyedge.report.energy import Duty
from tinyedge.report.files import RunFiles
from tinyedge.report.json import runs_document
from tinyedge.report.measured import measured_document, render_measured
from tinyedge.report.verdict import judge, judge_outputs
from tinyedge.runtimes import RUNTIMES


@click.command("run", epilog="Example: tinyedge run digits --board nrf52840")
@joint_choices
@click.option("--emulator", default="auto", show_default=True, help="Which emulator; `auto` takes the board's first.")
@measuring
@budgeted
@shared
def command(
    choices: Choices,
    emulator: str,
    inputs: str | None,
    samples: int | None,
    files: RunFiles,
    duty: Duty | None,
    update_budget: bool,
    ui: Ui,
) -> None:
    """Build, run in an emulator, verify every output byte against TensorFlow Lite Micro, and measure.

    MODEL is a recipe's name or folder, a .tflite, or what `tinyedge convert` takes, with `--data`; without it, `model`
    or `models` of tinyedge.toml or [tool.tinyedge]. Several are one firmware, in which each is run by itself.
    """
    require_budgets(choices, update=update_budget)
    with ui.commands_logged():
        runs = run_each(choices, ui, emulator_name=emulator, inputs=inputs, samples=samples)
        show_each(runs, ui, files, duty, update_budget=update_budget)


def require_budgets(choices: Choices, *, update: bool) -> None:
    """Raises: UsageError when a budget is to be written of what has none, before anything is done."""
    if update and (choices.others or choices.runtime != RUNTIMES[0]):
        raise UsageError(
            "`--update-budget` is for one model and the runtime `aot`",
            hint="name one model" if choices.others else "leave `--runtime` out",
        )


def judge_or_update(measured: Measured, ui: Ui, *, update: bool) -> None:
    """Judge a run; with `update` its figures become the budget instead of being compared. Raises: CheckError"""
    if not update:
        judge(measured)
        return
    judge_outputs(measured)
    updated = write_budget(measured)
    for each in updated:
        before = "new" if each.before is None else f"was {each.before:,g}"
        ui.note(f"budget: {each.figure} = {each.now:,} ({before}) in {each.path}")
    if not updated:
        ui.note("budget: nothing changed")


def show_each(
    runs: Iterable[Measured],
    ui: Ui,
    files: RunFiles,
    duty: Duty | None,
    traced: TracedEnergy | None = None,
    *,
    update_budget: bool = False,
) -> None:
    """Report each run as it is done, write the files that were asked for, and judge all.

    Raises: CheckError; DeviceError of a run that broke, behind the report on what was measured
    """
    done: list[Measured] = []
    broken: BrokenRunError | None = None
    try:
        for measured in runs:
            done.append(measured)
    except BrokenRunError as error:
        broken = error
        done.append(error.partial)
    several = len({measured.built.model_count for measured in done} - {1}) > 0
    for measured in done:
        (files.of_model(measured.built.prepared.model.name) if several else files).write(measured)
        for name, value in measured.statistics.items():
            ui.detail(f"emulator {name}: {value:,.1f}")
    texts = [render_measured(measured, duty, traced) for measured in done]
    documents = [measured_document(measured, duty, traced) for measured in done]
    ui.result("\n\n".join(texts), runs_document(documents) if several else documents[0])
    if broken is not None:
        raise broken.error from broken
    for measured in done:
        judge_or_update(measured, ui, update=update_budget)
