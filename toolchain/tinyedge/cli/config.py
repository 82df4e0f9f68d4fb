"""The settings of the user's project: tinyedge.toml, or [tool.tinyedge] of pyproject.toml, here or further up."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from tinyedge.artifacts import Optimize
from tinyedge.artifacts.budget import BudgetFigures, BudgetSource
from tinyedge.errors import UsageError
from tinyedge.report.budgets import read_budget_table
from tinyedge.tables import TableError, read_table, read_toml


@dataclass(frozen=True)
class CheckSettings:
    """[check]: what `tinyedge check` looks for."""

    ignore: tuple[str, ...] = ()
    """codes that are left out, as `["TE216"]`"""


@dataclass(frozen=True)
class Config:
    """What a project can settle for every command. The command line overrides it."""

    model: str | None = None
    """a recipe's name or folder, or a model's file; a path is relative to this file"""
    models: tuple[str, ...] = ()
    """several of them, for one firmware"""
    board: str | None = None
    """a board's name or alias; `tinyedge boards` lists them"""
    runtime: Literal["aot", "tflm"] | None = None
    """compiled ahead of time, or TensorFlow Lite Micro"""
    tflm: Path | None = None
    """folder with the sources of TensorFlow Lite Micro"""
    compiler: Literal["zig", "gcc"] | None = None
    """of the firmware"""
    optimize: Optimize | None = None
    """what the generated code is made for; else the recipe's choice"""
    max_ram: int | None = None
    """bytes of arena and state at most, at the price of time"""
    build_dir: Path | None = None
    """folder for everything that is made"""
    data: Path | None = None
    """samples and labels for a model that has to be converted"""
    calibration: Path | None = None
    """how long the board waits for its memory: a file of `tinyedge calibrate`"""
    check: CheckSettings = field(default_factory=CheckSettings)
    """what `tinyedge check` looks for"""
    budget: BudgetFigures | None = None
    """what a model may cost, on every board; [budget.<board>] and [budget.<board>-<compiler>] go before it"""


_IN_PYPROJECT = ("tool", "tinyedge")
_KEYS = ", ".join(each.name for each in fields(Config))


def load_config(folder: Path) -> Config:
    """Settings of the project that `folder` belongs to; empty when there are none.

    The nearest folder that has any counts, up to the one with a .git, or the root of the file system; in it
    tinyedge.toml wins over pyproject.toml.

    Raises: UsageError for unknown keys (the nearest is offered), wrong types and broken TOML.
    """
    found = _find(folder)
    return Config() if found is None else found[0]


def project_folder(folder: Path) -> Path:
    """Where the settings stand that `folder` has; `folder` itself without any. Raises: UsageError"""
    found = _find(folder)
    return folder if found is None else found[1].parent


def load_project_budget(folder: Path) -> BudgetSource | None:
    """[budget] of the same settings, with its tables; None where they have none. Raises: UsageError"""
    found = _find(folder)
    if found is None or found[0].budget is None:
        return None
    _, path, tables = found
    return read_budget_table(path, (*tables, "budget"), _table(path, (*tables, "budget")))


def _find(folder: Path) -> tuple[Config, Path, tuple[str, ...]] | None:
    """The settings, their file, and the table of it that they stand in."""
    for place in (folder, *folder.parents):
        own, project = place / "tinyedge.toml", place / "pyproject.toml"
        if own.exists():
            return _read(own, (), folder), own, ()
        if project.exists() and (config := _read(project, _IN_PYPROJECT, folder)) != Config():
            return config, project, _IN_PYPROJECT
        if (place / ".git").exists():
            break
    return None


def _table(path: Path, tables: tuple[str, ...]) -> Any:
    """What stands in the table of these names, one in the other. Raises: TableError"""
    table: Any = read_toml(path)
    for name in tables:
        table = table.get(name, {}) if isinstance(table, dict) else table
    return table


def _without_boards(table: Any) -> Any:
    """Settings whose [budget] has the figures for every board alone."""
    budget = table.get("budget") if isinstance(table, dict) else None
    if not isinstance(budget, dict):
        return table
    return table | {"budget": {key: value for key, value in budget.items() if not isinstance(value, dict)}}


def _read(path: Path, tables: tuple[str, ...], folder: Path) -> Config:
    """The settings that stand in the table of these names, one in the other; paths from the folder of the file."""
    shown = path.name if path.parent == folder else str(path)
    try:
        table = _table(path, tables)
        config = read_table(Config, _without_boards(table), ".".join(tables))
    except TableError as error:
        raise UsageError(
            f"settings in `{shown}`: {error}", hint="mend it, or run from another folder; keys are " + _KEYS
        ) from error
    return replace(
        config,
        model=_path_from(path.parent, config.model),
        models=tuple(str(_path_from(path.parent, model)) for model in config.models),
        tflm=None if config.tflm is None else path.parent / config.tflm,
        build_dir=None if config.build_dir is None else path.parent / config.build_dir,
        data=None if config.data is None else path.parent / config.data,
        calibration=None if config.calibration is None else path.parent / config.calibration,
    )


def _path_from(folder: Path, model: str | None) -> str | None:
    """A model that lies there is named as it is found from the current folder; any other name stays as it is."""
    if model is None or folder == Path.cwd() or not (folder / model).exists():
        return model
    return str(folder / model)
