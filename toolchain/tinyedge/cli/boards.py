"""`tinyedge boards`."""

from __future__ import annotations

import click

from tinyedge.boards import list_boards, load_board
from tinyedge.cli.options import shared
from tinyedge.cli.ui import Ui
from tinyedge.report.json import boards_document
from tinyedge.report.text import render_board, render_boards


@click.command("boards", epilog="Example: tinyedge boards nrf52840")
@click.argument("name", required=False)
@shared
def command(name: str | None, ui: Ui) -> None:
    """List the boards tinyedge knows, or describe the board NAME."""
    boards = (load_board(name),) if name else list_boards()
    ui.result(render_board(boards[0]) if name else render_boards(boards), boards_document(boards))
