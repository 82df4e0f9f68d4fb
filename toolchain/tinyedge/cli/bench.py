"""`tinyedge bench`."""

from __future__ import annotations

import click

from tinyedge import pipeline
from tinyedge.cli.options import several_choices, shared
from tinyedge.cli.run import judge
from tinyedge.cli.ui import Ui
from tinyedge.report.bench import bench_document, render_bench


@click.command("bench", epilog="Example: tinyedge bench digits --board nrf52840 --runtime aot,tflm --tflm DIR")
@several_choices
@click.option("--emulator", default="auto", show_default=True, help="Which emulator; `auto` takes the board's first.")
@click.option("--inputs", metavar="SPEC", help="FILE.npy, random:SEED or zeros. Default: the test set, else random:1.")
@click.option("--samples", type=click.IntRange(min=1), help="How many samples. Default: the whole test set, else 20.")
@shared
def command(
    choices: tuple[pipeline.Choices, ...], emulator: str, inputs: str | None, samples: int | None, ui: Ui
) -> None:
    """Build and run a model with several runtimes, and print their figures side by side.

    Each output byte of each runtime is verified as in `tinyedge run`. All are built with one compiler.
    """
    runs = []
    with ui.commands_logged():
        for chosen in choices:
            try:
                runs.append(pipeline.run(chosen, ui, emulator_name=emulator, inputs=inputs, samples=samples))
            except pipeline.BrokenRunError as broken:
                raise broken.error from broken
    ui.result(render_bench(runs), bench_document(runs))
    for run in runs:
        judge(run)
