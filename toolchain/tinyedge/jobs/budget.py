"""The budget of a model: found in the project's settings and beside the model, and taken anew from a run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyedge.artifacts import Measured
from tinyedge.artifacts.budget import Budget
from tinyedge.errors import UsageError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.train import Loaded
from tinyedge.paths import checkout, data_root, write_whole
from tinyedge.report.budgets import compiler_of, measured_figures, read_budget_file
from tinyedge.table_edit import set_values
from tinyedge.tables import TableError


@dataclass(frozen=True)
class UpdatedFigure:
    """A budget that was written; `before` is None for a new one."""

    figure: str
    before: float | None
    now: float
    path: Path


def find_budget(loaded: Loaded, choices: Choices) -> Budget:
    """What a model may cost, by the settings of the project and the file beside it. Raises: UsageError"""
    project = () if choices.budget is None else (choices.budget,)
    own = () if loaded.budget is None else (read_budget_file(loaded.budget),)
    return Budget((*project, *own), loaded.budget or loaded.budget_place)


def update_budget(measured: Measured) -> tuple[UpdatedFigure, ...]:
    """Write what a run found as its budget: each figure where its budget stands; without any, all of them, for this
    board and compiler, into the project's [budget] if there is one, else the file beside the model.

    Returns what changed. Raises: UsageError when no file can be written, or the figures are not of this runtime
    """
    prepared = measured.built.prepared
    budget = prepared.budget
    if budget is None:
        why = "a firmware of several models has" if measured.built.model_count > 1 else "this runtime has"
        raise UsageError(f"{why} no budget", hint="`--update-budget` is for one model and the runtime `aot`")
    board, compiler = prepared.board.name, compiler_of(measured)
    limits = budget.limits(board, compiler)
    new_place = next(iter((source.path, source.table) for source in budget.sources), (budget.own_file, ()))
    changes: dict[tuple[Path, tuple[str, ...]], dict[str, int | float]] = {}
    told = []
    for figure, found in measured_figures(measured).items():
        limit = limits.get(figure)
        if found is None or (limits and limit is None):
            continue
        if limit is not None:
            path, table = limit.source.path, (*limit.source.table, *([limit.table] if limit.table else []))
        else:
            place, names = new_place
            path, table = _writable(place, prepared.model.name), (*names, f"{board}-{compiler}")
        value = _rounded(found) if figure == "accuracy" else int(found)
        if limit is None or value != limit.value:
            changes.setdefault((path, table), {})[figure] = value
            told.append(UpdatedFigure(figure, None if limit is None else limit.value, value, path))
    _write(changes)
    return tuple(told)


def _rounded(accuracy: float) -> float:
    """To four digits, downwards: the run itself keeps it."""
    return int(accuracy * 10_000) / 10_000


def _writable(place: Path | None, model: str) -> Path:
    if place is None or (checkout() is None and place.resolve().is_relative_to(data_root())):
        what = "has no file" if place is None else "is tinyedge's own"
        raise UsageError(
            f"model `{model}` {what}: there is no place beside it for a budget",
            hint="write `[budget]` into tinyedge.toml: with one figure in it, `--update-budget` keeps it up to date",
        )
    return place


def _write(changes: dict[tuple[Path, tuple[str, ...]], dict[str, int | float]]) -> None:
    """Every file once and whole. Raises: UsageError when one cannot be changed or written."""
    texts: dict[Path, str] = {}
    for (path, table), values in changes.items():
        try:
            text = texts.get(path) or (path.read_text(encoding="utf-8") if path.exists() else _HEAD)
            texts[path] = set_values(text, table, values)
        except TableError as error:
            shown = ", ".join(f"{name} = {value}" for name, value in values.items())
            raise UsageError(f"`{path}` cannot be changed: {error}", hint=f"write into it: {shown}") from error
    for path, text in texts.items():
        try:
            write_whole(path, text.encode())
        except OSError as error:
            raise UsageError(f"`{path}` cannot be written: {error.strerror or error}") from error


_HEAD = "# What the model may cost: `tinyedge run` fails where a figure grows by more than growth_percent (3).\n"
