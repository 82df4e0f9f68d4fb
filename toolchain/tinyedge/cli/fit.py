"""`tinyedge fit`."""

from __future__ import annotations

import click

from tinyedge.cli.options import board_choices, shared, with_duty
from tinyedge.cli.ui import Ui
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.fit import fit
from tinyedge.report.budgets import require_budget
from tinyedge.report.energy import Duty
from tinyedge.report.fit import budget_of, fit_document, render_fit

_EXAMPLES = """\b
Examples: tinyedge fit model.tflite
          tinyedge fit digits --board nrf52840 --board rpi_pico --optimize size
          tinyedge fit model.tflite --rate 1/s --battery 220mAh@3V"""


@click.command("fit", epilog=_EXAMPLES)
@board_choices
@with_duty
@shared
def command(choices: Choices, boards: tuple[str, ...], duty: Duty | None, ui: Ui) -> None:
    """Show which boards a model fits, by how many bytes, and what it takes there: instructions, cycles, time, energy.

    Nothing is compiled or emulated: the figures come from what was counted of each kernel, and say how far they may be
    off. For each aim (size, balanced, speed) flash and RAM are told; where a model does not fit, what would make it.
    """
    found = fit(choices, ui, boards)
    ui.result(render_fit(found, duty), fit_document(found, duty))
    for board, lines in budget_of(found):
        require_budget(lines, found.model, board)
