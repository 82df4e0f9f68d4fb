"""The settings of the user's project: tinyedge.toml, or [tool.tinyedge] of pyproject.toml, in the current folder."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tinyedge.errors import UsageError


@dataclass(frozen=True)
class Config:
    """What a project can settle for every command. The command line overrides it.

    model      a recipe's name or folder, or a .tflite; a path is relative to the settings file
    board      a board's name or alias
    runtime    `aot` or `tflm`
    tflm       folder with the sources of TensorFlow Lite Micro
    compiler   `zig` or `gcc`
    optimize   `size`, `balanced` or `speed`
    build_dir  folder for everything that is made
    """

    model: str | None = None
    board: str | None = None
    runtime: str | None = None
    tflm: Path | None = None
    compiler: str | None = None
    optimize: str | None = None
    build_dir: Path | None = None


_ALLOWED = {"runtime": ("aot", "tflm"), "compiler": ("zig", "gcc"), "optimize": ("size", "balanced", "speed")}


def load_config(folder: Path) -> Config:
    """Settings of the project in `folder`; tinyedge.toml wins over pyproject.toml; empty when there are none.

    Raises: UsageError for unknown keys (the nearest is offered), wrong types and broken TOML.
    """
    own = folder / "tinyedge.toml"
    if own.is_file():
        return _checked(_read(own), own)
    project = folder / "pyproject.toml"
    if project.is_file():
        return _checked(_read(project).get("tool", {}).get("tinyedge", {}), project)
    return Config()


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"`{path.name}` is not valid TOML: {error}", hint="mend it, or run from another folder"
        ) from error


def _checked(table: dict[str, Any], path: Path) -> Config:
    known = [field.name for field in fields(Config)]
    for key, value in table.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            raise UsageError(
                f"unknown key `{key}` in the settings of `{path.name}`",
                hint=f"did you mean `{near[0]}`?" if near else f"known: {', '.join(known)}",
            )
        if not isinstance(value, str):
            raise UsageError(
                f"`{key}` in `{path.name}` must be a string, not {type(value).__name__}", hint=f'{key} = "..."'
            )
        if key in _ALLOWED and value not in _ALLOWED[key]:
            raise UsageError(f"`{key}` in `{path.name}` is `{value}`", hint=f"choose one of {', '.join(_ALLOWED[key])}")
    values: dict[str, Any] = dict(table)
    for key in ("build_dir", "tflm"):
        if key in values:
            values[key] = path.parent / values[key]
    return Config(**values)
