"""`tinyedge ops`."""

from __future__ import annotations

import click

from tinyedge.cli.options import shared
from tinyedge.cli.ui import Ui
from tinyedge.report.operators import list_operators, operators_document, render_operators, render_operators_page


@click.command("ops", epilog="Example: tinyedge ops conv_2d")
@click.argument("name", required=False)
@click.option("--markdown", is_flag=True, help="Print the page docs/operators.md.")
@shared
def command(name: str | None, markdown: bool, ui: Ui) -> None:
    """List the operators tinyedge runs with their kernels, or the rules that the operator NAME must keep."""
    operators = list_operators(name)
    text = render_operators_page(operators) if markdown else render_operators(operators)
    ui.result(text, operators_document(operators))
