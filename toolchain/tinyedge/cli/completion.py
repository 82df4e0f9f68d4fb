"""`tinyedge completion`, and what completes the values of options."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, get_completion_class

from tinyedge.cli.ui import Ui
from tinyedge.errors import InternalError

_WHERE = {
    "bash": 'eval "$(tinyedge completion bash)"   # into ~/.bashrc',
    "zsh": 'eval "$(tinyedge completion zsh)"    # into ~/.zshrc, behind compinit',
    "fish": "tinyedge completion fish > ~/.config/fish/completions/tinyedge.fish",
}
_EXAMPLES = "\b\nExamples: " + "\n          ".join(_WHERE.values())


@click.command("completion", epilog=_EXAMPLES)
@click.argument("shell", type=click.Choice(list(_WHERE)))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")
def command(shell: str, as_json: bool) -> None:
    """Print a script that completes commands, options, boards and recipes: bash (4.4 or newer), zsh or fish."""
    from tinyedge.cli import group

    kind = get_completion_class(shell)
    if kind is None:
        raise InternalError(f"click completes nothing in {shell}")
    script = kind(group, {}, "tinyedge", "_TINYEDGE_COMPLETE").source()
    document = {"schema": "tinyedge.completion/1", "shell": shell, "script": script}
    Ui(as_json=as_json, plain=True).result(script, document)


def complete_board(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Names and aliases of boards, with their chips."""
    from tinyedge.boards import list_boards

    named = {name: board.chip for board in list_boards() for name in (board.name, *board.aliases)}
    return [CompletionItem(name, help=chip) for name, chip in sorted(named.items()) if name.startswith(begun)]


def complete_model(_context: click.Context, _parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Recipes by name, and whatever files there are."""
    from tinyedge.train.recipe import list_models

    recipes = [CompletionItem(name, help="recipe") for name in list_models() if name.startswith(begun)]
    return [*recipes, CompletionItem(begun, type="file")]
