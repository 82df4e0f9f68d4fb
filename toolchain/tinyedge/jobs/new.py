"""A project of a user's own: from a template or from data to a folder that the other commands work in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyedge.artifacts import Observer
from tinyedge.artifacts.model import check_name
from tinyedge.boards import load_board
from tinyedge.errors import UsageError
from tinyedge.new.contract import Found
from tinyedge.new.files import Start, project_files
from tinyedge.new.look import look_at, relative_source
from tinyedge.new.registry import find_template, template_for
from tinyedge.paths import write_folder
from tinyedge.tables import TableError
from tinyedge.train.recipe import read_recipe_table

DEFAULT_BOARD = "nrf52840dk"


@dataclass(frozen=True)
class NewChoices:
    """What a project is to be.

    folder         where it goes; its name is the model's
    template       a name of `new.registry.templates`; None: what the data asks for
    data           a folder or file to look at; it stays where it is, and the recipe names it
    board          a board's name or alias
    with_example   made-up data comes with it
    dry_run        nothing is written
    """

    folder: Path
    template: str | None = None
    data: Path | None = None
    board: str = DEFAULT_BOARD
    with_example: bool = False
    dry_run: bool = False


@dataclass(frozen=True, eq=False)
class NewProject:
    """A project that was written, or would be.

    why  how the template was chosen
    """

    choices: NewChoices
    start: Start
    files: Mapping[str, bytes]
    why: str = ""


def new(choices: NewChoices, settings: type, observer: Observer) -> NewProject:
    """Write a project: all of it or nothing, and never over what is there.

    settings  the dataclass of tinyedge.toml

    Raises: UsageError when the name cannot be a model's, something is there already, the template is unknown, or the
    data cannot be read or asks for nothing that there is
    """
    folder = choices.folder
    _check(choices)
    board = load_board(choices.board)
    found: Found | None = None
    why = ""
    template = None if choices.template is None else find_template(choices.template)
    if choices.data is not None:
        if template is not None and template.assumed is None:
            raise UsageError(f"the template `{template.name}` brings its data", hint="leave out `--from`, or `--data`")
        with observer.progress("look at the data"):
            found = look_at(choices.data, relative_source(choices.data, folder))
        asked, why = template_for(found)
        template = template or asked
        if template.sort is not None and template.sort != found.sort:
            raise UsageError(
                f"`{choices.data}` holds {_SORTS[found.sort]}; the template `{template.name}` is for "
                f"{_SORTS[template.sort]}",
                hint=f"`--from {asked.name}`, or leave `--from` out",
            )
        why = f"`{template.name}`: {why}" if template is asked else f"`{template.name}` was asked for"
    if template is None:
        raise UsageError("neither a template nor data is named", hint="`--from gesture`, or `--data DIR`")
    if choices.with_example and not template.example():
        raise UsageError(f"the template `{template.name}` brings real data", hint="leave out `--with-example-data`")
    start = Start(folder.resolve().name, template, board, settings, found, choices.with_example)
    files = project_files(start)
    _check_recipe(files["recipe.toml"], folder)
    if not choices.dry_run:
        try:
            write_folder(folder, files)
        except OSError as error:
            raise UsageError(
                f"`{folder}` cannot be written: {error.strerror or error}", hint="give another place"
            ) from error
    return NewProject(choices, start, files, why)


_SORTS = {
    "motion": "axes over time",
    "sound": "sounds",
    "images": "images",
    "table": "rows of numbers",
}


def _check_recipe(text: bytes, folder: Path) -> None:
    """Raises: UsageError for data that a recipe cannot be written for."""
    try:
        read_recipe_table(tomllib.loads(text.decode()), folder)
    except TableError as error:
        raise UsageError(
            f"no recipe fits this data: {error}", hint="`--from blank` starts a project to be filled in by hand"
        ) from error


def _check(choices: NewChoices) -> None:
    """Raises: UsageError for what can be refused before anything is read."""
    folder = choices.folder
    name = folder.resolve().name
    check_name(name)
    if not name[0].isalnum():
        raise UsageError(f"a project cannot be called `{name}`", hint="begin its name with a letter")
    if folder.exists() or folder.is_symlink():
        raise UsageError(f"`{folder}` is there already: nothing was written", hint="give another name, or remove it")
    if choices.with_example and choices.data is not None:
        raise UsageError("`--with-example-data` and `--data` both name the data", hint="leave one of them out")
    if choices.data is not None and folder.resolve().is_relative_to(choices.data.resolve()):
        raise UsageError(
            f"the project `{folder}` would lie in its own data, `{choices.data}`", hint="give a place outside of it"
        )
    for parent in folder.absolute().parents:
        if parent.exists():
            if not parent.is_dir():
                raise UsageError(f"`{parent}` is no folder", hint="give another place")
            break
