"""Recipes: a folder with recipe.toml, model.py and data.py, read into frozen data and checked once.

recipe.toml:

    summary = "what it is, in one line"
    task = "classification"        # "regression" or "anomaly"; a list of them for the outputs of a model with several
    seed = 1
    optimize = "balanced"          # what the generated code is made for: "size", "balanced" or "speed"
    max_ram = 16384                # bytes of arena and state at most; left out: as `optimize` says

    [data]                         # `source` and how it is split, for data that tinyedge reads itself; else keyword
                                   # arguments of `load` in data.py, which runs in the recipe's folder, so that paths
                                   # are relative to it
    [fit]                          # epochs, batch_size, learning_rate, warm_up, early_stopping, ...
    [model]                        # keyword arguments of `build` in model.py, as width = 0.5
    [[augment]]                    # techniques in the order they are applied: technique = "shift", ...
    [[compress]]                   # techniques in the order they are applied: technique = "prune", ...
    [convert]                      # representative_samples
    [anomaly]                      # false_alarms
    [folds]                        # lists of values for keys of [data]: `--folds` trains with each combination
    [quick]                        # what `--quick` does instead: epochs, data

Budgets stand in budget.toml beside it.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tinyedge.artifacts import Optimize
from tinyedge.artifacts.model import model_name
from tinyedge.errors import UsageError
from tinyedge.features import read_features
from tinyedge.features.contract import Features
from tinyedge.features.stream import StreamSettings
from tinyedge.paths import models_dir
from tinyedge.tables import TableError, nearest, read_table, read_toml, require_range
from tinyedge.train.augment import AUGMENTATIONS
from tinyedge.train.batches import Augment
from tinyedge.train.compress import TECHNIQUES
from tinyedge.train.compress.contract import Technique
from tinyedge.train.compress.order import check_order
from tinyedge.train.featured import features_table
from tinyedge.train.settings import Anomaly, Convert, Fit, Quick, Value

TASKS = ("classification", "regression", "anomaly")
_MOST_FOLDS = 1_000


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
    convert: Convert = field(default_factory=Convert)
    data: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    """keyword arguments of `load` in data.py"""
    optimize: Optimize = "balanced"
    max_ram: int | None = None
    """bytes of arena and state at most"""
    augment: tuple[Augment, ...] = ()
    anomaly: Anomaly = field(default_factory=Anomaly)
    folds: Mapping[str, list[Value]] = field(default_factory=lambda: MappingProxyType({}))
    """values of keys of [data], all combinations of which are trained by `--folds`"""
    quick: Quick = field(default_factory=Quick)
    features: Features | None = None
    """what the model's only input is computed of, here and on the device"""
    stream: StreamSettings | None = None
    """how the model listens on the device"""
    model: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    """keyword arguments of `build` in model.py"""

    @property
    def has_source(self) -> bool:
        """Whether [data] names a `source` that tinyedge reads itself: data.py is not needed then."""
        return "source" in self.data

    @property
    def noise_sources(self) -> tuple[Path, ...]:
        """Files and folders of recordings that the augmentation mixes in."""
        named = (getattr(each.technique, "source", "") for each in self.augment)
        return tuple(self.folder / source for source in named if source)

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
        """The table `read_recipe_table` makes an equal recipe of, but for what one training has nothing of: [folds] and
        [quick]."""
        return {
            "summary": self.summary,
            "task": self.task if isinstance(self.task, str) else list(self.task),
            "seed": self.seed,
            "optimize": self.optimize,
            **({} if self.max_ram is None else {"max_ram": self.max_ram}),
            "data": dict(self.data),
            "fit": dataclasses.asdict(self.fit),
            **({"model": dict(self.model)} if self.model else {}),
            "compress": [
                {"technique": technique.name, **dataclasses.asdict(technique)}  # type: ignore[call-overload]
                for technique in self.compress
            ],
            "convert": dataclasses.asdict(self.convert),
            "augment": [
                {
                    "technique": each.technique.name,
                    **({"input": each.input} if each.input else {}),
                    **{
                        key: list(value) if isinstance(value, tuple) else value
                        for key, value in dataclasses.asdict(each.technique).items()  # type: ignore[call-overload]
                    },
                }
                for each in self.augment
            ],
            "anomaly": dataclasses.asdict(self.anomaly),
            **({} if self.features is None else {"features": features_table(self.features)}),
        }

    def with_data(self, **values: Value) -> Recipe:
        """The recipe with other arguments for `load`."""
        return dataclasses.replace(self, data=MappingProxyType({**self.data, **values}))

    def each_fold(self) -> tuple[tuple[dict[str, Value], Recipe], ...]:
        """(what differs, the recipe) of each fold, in the order of [folds]; none without that table."""
        if not self.folds:
            return ()
        combinations = itertools.product(*self.folds.values())
        changes = [dict(zip(self.folds, values, strict=True)) for values in combinations]
        return tuple((change, self.with_data(**change)) for change in changes)

    def as_quick(self) -> Recipe:
        """The recipe as `--quick` trains it: of few epochs, and with the data that [quick] names."""
        most = self.quick.epochs
        compress = tuple(_with_epochs(technique, most) for technique in self.compress)
        fit = dataclasses.replace(
            self.fit, epochs=min(self.fit.epochs, most), samples=self.quick.samples or self.fit.samples
        )
        return dataclasses.replace(self.with_data(**self.quick.data), fit=fit, compress=compress)


def _with_epochs(technique: Technique, most: int) -> Technique:
    """The technique with so many epochs at most, wherever it has any."""
    settings: dict[str, Any] = dataclasses.asdict(technique)  # type: ignore[call-overload]
    fewer = {name: min(value, most) for name, value in settings.items() if name.endswith("epochs")}
    changed: Technique = dataclasses.replace(technique, **fewer)  # type: ignore[type-var]
    return changed


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
    for needed in (recipe.model_file, *(() if recipe.has_source else (recipe.data_file,))):
        if not needed.is_file():
            raise UsageError(
                f"`{folder}` holds no {needed.name}", hint="models/sine shows the four files of a model folder"
            )
    return recipe


@dataclass(frozen=True, kw_only=True)
class RecipeFile:
    """What recipe.toml holds. A table of [[compress]] is read by its `technique`."""

    summary: str = ""
    """what it is, in one line"""
    task: str | tuple[str, ...] = "classification"
    """"classification", "regression" or "anomaly"; a list of them for the outputs of a model with several"""
    seed: int = 1
    """beginning of all random numbers: another one gives another model of the same worth"""
    optimize: Optimize = "balanced"
    """what the generated code is made for"""
    max_ram: int | None = None
    """bytes of arena and state at most, at the price of time; left out: as `optimize` says"""
    data: dict[str, Value] = field(default_factory=dict)
    """which data: these keys where it has a `source`, else the arguments of `load` in data.py; paths are relative to
    the recipe's folder"""
    fit: Fit
    """how the model is trained"""
    model: dict[str, Value] = field(default_factory=dict)
    """arguments of `build` in model.py, as the width of a network"""
    compress: tuple[dict[str, Any], ...] = ()
    """techniques that make the trained model smaller, in their order"""
    convert: Convert = field(default_factory=Convert)
    """how the trained model becomes a .tflite"""
    augment: tuple[dict[str, Any], ...] = ()
    """techniques that change the training's samples anew in each epoch, in their order"""
    anomaly: Anomaly = field(default_factory=Anomaly)
    """how the threshold of an anomaly detector is chosen"""
    folds: dict[str, list[Value]] = field(default_factory=dict)
    """values for keys of [data]: `tinyedge train --folds` trains with each combination of them"""
    features: dict[str, Any] | None = None
    """what the model's input is computed of, here and on the device; `kind` says how"""
    stream: StreamSettings | None = None
    """when a model that listens runs, and what counts as heard"""
    quick: Quick = field(default_factory=Quick)
    """what `tinyedge train --quick` does instead"""

    def __post_init__(self) -> None:
        require_range("seed", self.seed, 0, (1 << 32) - 1)
        number = math.prod(len(values) for values in self.folds.values())
        if not 1 <= number <= _MOST_FOLDS:
            raise ValueError(f"[folds] makes {number:,} folds; it must be 1 to {_MOST_FOLDS:,}")
        if self.max_ram is not None:
            require_range("max_ram", self.max_ram, 1)
        for task in (self.task,) if isinstance(self.task, str) else self.task:
            if task not in TASKS:
                raise ValueError(f"`task` is {task!r}; {nearest(task, TASKS)}")


def read_recipe_table(table: Mapping[str, Any], folder: Path) -> Recipe:
    """The recipe that `table` states. Raises: TableError."""
    name = model_name(folder.with_name(f"{folder.name}.recipe"))
    values = read_table(RecipeFile, table)
    features = None if values.features is None else read_features(values.features)
    augment = _augmentation(values.augment)
    _check_rates(features, augment)
    compress = _techniques(values.compress)
    _check_activations(values.convert, features, compress)
    return Recipe(
        name=name,
        folder=folder,
        summary=values.summary,
        task=values.task,
        seed=values.seed,
        fit=values.fit,
        compress=compress,
        convert=values.convert,
        data=MappingProxyType(values.data),
        optimize=values.optimize,
        augment=augment,
        anomaly=values.anomaly,
        folds=MappingProxyType(values.folds),
        quick=values.quick,
        stream=values.stream,
        features=features,
        max_ram=values.max_ram,
        model=MappingProxyType(values.model),
    )


def _augmentation(tables: Sequence[Mapping[str, Any]]) -> tuple[Augment, ...]:
    """Techniques in their order. One may come twice, with other settings."""
    found = []
    for number, table in enumerate(tables, 1):
        where = f"augment[{number}]"
        name = _technique_of(table, where, AUGMENTATIONS)
        named = table.get("input", "")
        if not isinstance(named, str):
            raise TableError(f"`{where}.input` is {named!r}, not of type str")
        settings = {key: value for key, value in table.items() if key not in ("technique", "input")}
        found.append(Augment(read_table(AUGMENTATIONS[name], settings, where), named))
    return tuple(found)


def _check_rates(features: Features | None, augment: Sequence[Augment]) -> None:
    """Raises: TableError when what is mixed in has another rate than what features are computed of."""
    for number, each in enumerate(augment, 1):
        rate = getattr(each.technique, "rate_hz", 0)
        if features is not None and features.rate_hz and rate and rate != features.rate_hz:
            raise TableError(
                f"`augment[{number}].rate_hz` is {rate:g}; the features `{features.kind}` are of {features.rate_hz:,}"
            )


def _check_activations(convert: Convert, features: Features | None, compress: Sequence[Technique]) -> None:
    """Raises: TableError when activations of int16, or a technique, do not go with the rest."""
    if features is not None and any(technique.name == "adapt" for technique in compress):
        raise TableError("`adapt` takes data as the model reads it; the recipe has [features], which compute that")
    if convert.activations == "int8":
        return
    if features is not None:
        raise TableError("[features] fill inputs of int8; `convert.activations` is `int16`")
    for technique in compress:
        if technique.changes == "ranges" or technique.name in ("int4", "early_exit"):
            raise TableError(f"`{technique.name}` is for activations of int8; `convert.activations` is `int16`")


def _technique_of(table: Mapping[str, Any], where: str, known: Collection[str]) -> str:
    """The technique that a table names. Raises: TableError."""
    name = table.get("technique")
    if not isinstance(name, str):
        raise TableError(f"`{where}` names no technique; known are {', '.join(f'`{each}`' for each in known)}")
    if name not in known:
        raise TableError(f"`{where}.technique` is `{name}`; {nearest(name, known)}")
    return name


def _techniques(tables: Sequence[Mapping[str, Any]]) -> tuple[Technique, ...]:
    """Techniques in their order, which must make sense."""
    found: list[Technique] = []
    for number, table in enumerate(tables, 1):
        where = f"compress[{number}]"
        name = _technique_of(table, where, TECHNIQUES)
        settings = {key: value for key, value in table.items() if key != "technique"}
        found.append(read_table(TECHNIQUES[name], settings, where))
    try:
        check_order(found)
    except ValueError as error:
        raise TableError(str(error)) from None
    return tuple(found)
