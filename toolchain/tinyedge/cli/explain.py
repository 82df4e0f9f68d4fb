"""`tinyedge explain`."""

from __future__ import annotations

import click

from tinyedge.cli.options import shared
from tinyedge.cli.ui import Ui
from tinyedge.diagnose import explain, list_explanations
from tinyedge.report.diagnosis import (
    explanation_page,
    explanations_document,
    explanations_page,
    render_explanation,
    render_explanations,
)


@click.command("explain", epilog="Example: tinyedge explain TE101")
@click.argument("code", required=False)
@click.option("--markdown", is_flag=True, help="Print the page of docs/checks.")
@shared
def command(code: str | None, markdown: bool, ui: Ui) -> None:
    """Say what a CODE of `tinyedge check` means, why it hurts and what to do; without one, list them."""
    if code is None:
        told = list_explanations()
        text = explanations_page(told) if markdown else render_explanations(told)
    else:
        told = (explain(code),)
        text = explanation_page(told[0]) if markdown else render_explanation(told[0])
    ui.result(text, explanations_document(told))
