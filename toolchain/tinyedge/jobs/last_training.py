"""What is chosen for a recipe on the command line, kept for the commands behind `tinyedge train`: they take its model.

Lies in `<build folder>/<model>/trained/last.json`, and is there only after `--data` or `--seed`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from tinyedge.artifacts import Observer
from tinyedge.errors import UsageError
from tinyedge.paths import write_whole
from tinyedge.train.recipe import Recipe

SCHEMA = "tinyedge.last-training/1"
_DATA_KEYS = ("source", "folder", "file")
"""keys of [data] under which recipes name where their data lies"""


@dataclass(frozen=True)
class LastTraining:
    """What was named on the command line. data: a path, absolute; None: what the recipe says."""

    schema: str
    data: str | None = None
    seed: int | None = None

    def __str__(self) -> str:
        told = {"--data": self.data, "--seed": self.seed}
        return " ".join(f"{option} {value}" for option, value in told.items() if value is not None)


def choose(recipe: Recipe, *, quick: bool = False, data: Path | None = None, seed: int | None = None) -> Recipe:
    """The recipe as it is wanted now. Raises: UsageError when it names no data that could be another's.

    quick  of few epochs, as [quick] says
    data   the file or folder that [data] names as `source`, `folder` or `file`
    """
    if data is not None:
        key = next((key for key in _DATA_KEYS if key in recipe.data), None)
        if key is None:
            told = ", ".join(f"`{known}`" for known in _DATA_KEYS)
            raise UsageError(
                f"[data] of recipe `{recipe.name}` names no file or folder to be exchanged: none of {told}",
                hint="leave out `--data`",
            )
        recipe = recipe.with_data(**{key: str(data.absolute())})
    if quick:
        recipe = recipe.as_quick()
    return recipe if seed is None else replace(recipe, seed=seed)


def keep_last_training(recipe: Recipe, build_dir: Path, data: Path | None, seed: int | None) -> None:
    """Keep it for `as_last_trained`, or forget what was kept. Raises: UsageError when that cannot be written."""
    path = _place(recipe, build_dir)
    try:
        if data is None and seed is None:
            path.unlink(missing_ok=True)
            return
        document = {"schema": SCHEMA, "data": None if data is None else str(data.absolute()), "seed": seed}
        write_whole(path, (json.dumps(document, indent=2) + "\n").encode())
    except OSError as error:
        raise UsageError(f"`{path}` cannot be written: {error.strerror or error}") from error


def as_last_trained(recipe: Recipe, build_dir: Path, observer: Observer) -> Recipe:
    """The recipe with the data and the seed of its last training, said; as it is when that had none of its own.

    Raises: UsageError when the recipe no longer names data that could be another's, or the data is no longer there
    """
    path = _place(recipe, build_dir)
    try:
        last = msgspec.json.decode(path.read_bytes(), type=LastTraining)
    except FileNotFoundError:
        return recipe
    except (OSError, msgspec.MsgspecError):
        observer.note(f"`{path}` is damaged: `{recipe.name}` is taken as its recipe says")
        return recipe
    if last.schema != SCHEMA:
        observer.note(f"`{path}` is of another version of tinyedge: `{recipe.name}` is taken as its recipe says")
        return recipe
    try:
        chosen = choose(recipe, data=None if last.data is None else Path(last.data), seed=last.seed)
    except UsageError as error:  # the recipe was changed since
        error.hint = f"`tinyedge train {recipe.name}` trains it as its recipe says now, without {last}"
        raise
    if last.data is not None and not Path(last.data).exists():
        raise UsageError(
            f"`{recipe.name}` was last trained with {last}, which is no longer there",
            hint=f"`tinyedge train {recipe.name}` goes back to its recipe; with `--data` it takes other data",
        )
    observer.note(f"`{recipe.name}` as last trained: {last}; `tinyedge train {recipe.name}` goes back to its recipe")
    return chosen


def _place(recipe: Recipe, build_dir: Path) -> Path:
    return build_dir / recipe.name / "trained" / "last.json"
