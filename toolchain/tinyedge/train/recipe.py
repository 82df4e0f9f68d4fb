"""Recipes: a folder with recipe.toml, model.py and data.py, read into frozen data and checked once.

recipe.toml:

    summary = "what it is, in one line"
    task = "classification"        # or "regression"; a list of them for the outputs of a model with several
    seed = 1
    optimize = "balanced"          # what the generated code is made for: "size", "balanced" or "speed"
    max_ram = 16384                # bytes of arena and state at most; left out: as `optimize` says

    [data]                         # keyword arguments of `load` in data.py; it runs in the recipe's folder, so that
                                   # paths are relative to it
    [fit]                          # epochs, batch_size, learning_rate
    [[compress]]                   # techniques in the order they are applied: technique = "prune", ...
    [convert]                      # representative_samples

Budgets stand in budget.toml beside it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tinyedge.artifacts import Optimize
from tinyedge.artifacts.model import model_name
from tinyedge.errors import UsageError
from tinyedge.paths import models_dir
from tinyedge.tables import TableError, nearest, read_table, read_toml, require_range
from tinyedge.train.compress import TECHNIQUES
from tinyedge.train.compress.contract import Technique

TASKS = ("classification", "regression")
Scalar = int | float | str | bool
Value = Scalar | list[Scalar]


@dataclass(frozen=True)
class Fit:
    """How the model is trained before anything is compressed. The learning rate falls to 0 along a cosine."""

    epochs: int
    batch_size: int = 32
    learning_rate: float = 0.001

    def __post_init__(self) -> None:
        require_range("epochs", self.epochs, 1)
        require_range("batch_size", self.batch_size, 1)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)


@dataclass(frozen=True)
class Convert:
    """How the trained model becomes a full-int8 flatbuffer."""

    representative_samples: int = 200
    """training inputs that show the converter the range of each activation"""

    def __post_init__(self) -> None:
        require_range("representative_samples", self.representative_samples, 1)


@dataclass(frozen=True)
class Recipe:
    """One model folder, checked."""

    name: str
    """the folder's name, as it may stand in paths, in C and on a terminal"""
    folder: Path
    summary: str
    task: str | tuple[str, ...]
    """of TASKS: one for all outputs, or one each"""
    seed: int
    fit: Fit
    compress: tuple[Technique, ...] = ()
    convert: Convert = Convert()
    data: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    """keyword arguments of `load` in data.py"""
    optimize: Optimize = "balanced"
    max_ram: int | None = None
    """bytes of arena and state at most"""

    @property
    def model_file(self) -> Path:
        return self.folder / "model.py"

    @property
    def data_file(self) -> Path:
        return self.folder / "data.py"

    @property
    def budget_file(self) -> Path | None:
        """budget.toml of the folder, None when there is none."""
        path = self.folder / "budget.toml"
        return path if path.exists() else None

    def to_json(self) -> dict[str, Any]:
        """The table `read_recipe_table` makes an equal recipe of."""
        return {
            "summary": self.summary,
            "task": self.task if isinstance(self.task, str) else list(self.task),
            "seed": self.seed,
            "optimize": self.optimize,
            **({} if self.max_ram is None else {"max_ram": self.max_ram}),
            "data": dict(self.data),
            "fit": dataclasses.asdict(self.fit),
            "compress": [
                {"technique": technique.name, **dataclasses.asdict(technique)}  # type: ignore[call-overload]
                for technique in self.compress
            ],
            "convert": dataclasses.asdict(self.convert),
        }


def list_models() -> tuple[str, ...]:
    """Names of the recipes that come with tinyedge."""
    return tuple(sorted(path.parent.name for path in models_dir().glob("*/recipe.toml")))


def find_recipe(name_or_path: str) -> Recipe:
    """A recipe that comes with tinyedge, by name; else the recipe in a folder, by path.

    Raises: UsageError when there is neither, or the recipe breaks a rule
    """
    models = list_models()
    folder = Path(name_or_path)
    if folder.is_dir():
        return load_recipe(folder)
    if name_or_path in models:
        return load_recipe(models_dir() / name_or_path)
    raise UsageError(
        f"there is no model `{name_or_path}`: neither a recipe's name nor a folder with a recipe.toml",
        hint=nearest(name_or_path, models),
    )


def load_recipe(folder: Path) -> Recipe:
    """The recipe in `folder`. Raises: UsageError that names the file, the key and the rule it breaks."""
    path = folder / "recipe.toml"
    if not path.exists():
        raise UsageError(f"`{folder}` holds no recipe.toml", hint="models/sine shows the four files of a model folder")
    try:
        recipe = read_recipe_table(read_toml(path), folder.resolve())
    except TableError as error:
        raise UsageError(f"`{path}`: {error}", hint="models/digits/recipe.toml shows every key") from None
    for needed in (recipe.model_file, recipe.data_file):
        if not needed.is_file():
            raise UsageError(
                f"`{folder}` holds no {needed.name}", hint="models/sine shows the four files of a model folder"
            )
    return recipe


@dataclass(frozen=True, kw_only=True)
class _RecipeFile:
    """What recipe.toml holds. A table of [[compress]] is read by its `technique`."""

    summary: str = ""
    task: str | tuple[str, ...] = "classification"
    seed: int = 1
    optimize: Optimize = "balanced"
    max_ram: int | None = None
    data: dict[str, Value] = field(default_factory=dict)
    fit: Fit
    compress: tuple[dict[str, Any], ...] = ()
    convert: Convert = Convert()

    def __post_init__(self) -> None:
        require_range("seed", self.seed, 0, (1 << 32) - 1)
        if self.max_ram is not None:
            require_range("max_ram", self.max_ram, 1)
        for task in (self.task,) if isinstance(self.task, str) else self.task:
            if task not in TASKS:
                raise ValueError(f"`task` is {task!r}; {nearest(task, TASKS)}")


def read_recipe_table(table: Mapping[str, Any], folder: Path) -> Recipe:
    """The recipe that `table` states. Raises: TableError."""
    name = model_name(folder.with_name(f"{folder.name}.recipe"))
    values = read_table(_RecipeFile, table)
    return Recipe(
        name=name,
        folder=folder,
        summary=values.summary,
        task=values.task,
        seed=values.seed,
        fit=values.fit,
        compress=_techniques(values.compress),
        convert=values.convert,
        data=MappingProxyType(values.data),
        optimize=values.optimize,
        max_ram=values.max_ram,
    )


def _techniques(tables: Sequence[Mapping[str, Any]]) -> tuple[Technique, ...]:
    """Techniques in their order. One that trains on quantized values must come last: what follows would undo it."""
    found: list[Technique] = []
    for number, table in enumerate(tables, 1):
        where = f"compress[{number}]"
        name = table.get("technique")
        if not isinstance(name, str):
            raise TableError(
                f"`{where}` names no technique; known are {', '.join(f'`{known}`' for known in TECHNIQUES)}"
            )
        if name not in TECHNIQUES:
            raise TableError(f"`{where}.technique` is `{name}`; {nearest(name, TECHNIQUES)}")
        if found and found[-1].must_be_last:
            raise TableError(f"`{name}` follows `{found[-1].name}`, which must be the last technique")
        if any(name == earlier.name for earlier in found):
            raise TableError(f"`{name}` is applied twice")
        settings = {key: value for key, value in table.items() if key != "technique"}
        found.append(read_table(TECHNIQUES[name], settings, where))
    return tuple(found)
