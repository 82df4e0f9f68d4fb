"""From a name to a model: a .tflite as it is, or what training makes of a recipe, kept until something changes.

What training made lies in `<build folder>/<model>/trained/<digest>/`, by the digest of all that determines it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyedge.artifacts import Observer, QuantizedModel
from tinyedge.convert import DATA_PAGE, DEFAULTS, Settings, convert, model_of, recognize, refuse
from tinyedge.errors import UsageError
from tinyedge.paths import models_dir
from tinyedge.train import load_kept, train_model, training_digest
from tinyedge.train.recipe import Recipe, find_recipe, list_models

_SUFFIXES = (".tflite", ".keras", ".h5", ".onnx", ".pt2")
BUDGET = "budget.toml"
"""in a recipe's folder, or beside a .tflite: there `<name>.budget.toml` goes before it"""


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model, and what its recipe wants of the stages behind it."""

    model: QuantizedModel
    optimize: str = "balanced"
    max_ram_bytes: int | None = None
    budget: Path | None = None
    """the file of its budget, if there is one"""


def load_model(
    spec: str, build_dir: Path, observer: Observer, data: Path | None = None, settings: Settings = DEFAULTS
) -> Loaded:
    """A quantized .tflite as it is, a model of another world converted, or that of a recipe trained, unless that was
    done before.

    data, settings  what a model of another world is converted with

    Raises: UsageError when there is none of them, or no data to convert with; TrainingError as training does
    """
    found = find_model(spec, observer)
    if isinstance(found, Path):
        budget = _first_file(found.with_suffix(f".{BUDGET}"), found.with_name(BUDGET))
        if (front := recognize(found)) is None:
            return Loaded(QuantizedModel.from_file(found), budget=budget)
        if data is None:
            raise UsageError(
                f"`{spec}` is {model_of(front)}: to quantize it, tinyedge needs samples of its inputs",
                hint=f"`--data FILE.npz`, with an array of samples, and `labels` if there are some: {DATA_PAGE}",
            )
        return Loaded(convert(found, data, settings, observer).model, budget=budget)
    budget = _first_file(found.folder / BUDGET)
    return Loaded(train(found, build_dir, observer), found.optimize, found.max_ram, budget)


def find_model(spec: str, observer: Observer) -> Recipe | Path:
    """A file or folder with a model by its path, or a recipe by folder or name. A path that exists goes before a name.

    Raises: UsageError when there is none of them, or a model that tinyedge does not take
    """
    path = Path(spec)
    refuse(path)
    if recognize(path) is not None:
        return path
    if path.suffix in _SUFFIXES or path.is_file():
        if not path.is_file():
            what = f"`{spec}` is not a file: a folder, a pipe or a device cannot be read"
            raise UsageError(
                what if path.exists() else f"there is no file `{spec}`",
                hint="give the path of a model, or the name of a recipe",
            )
        return path
    shadows = path.is_dir() and spec in list_models() and path.resolve() != (models_dir() / spec).resolve()
    try:
        found = find_recipe(spec)
    except UsageError as error:
        if shadows:
            error.hint = f"the folder here goes before tinyedge's recipe `{spec}`: for that, call from another folder"
        raise
    if shadows:
        observer.note(f"`{spec}` is the folder here, not tinyedge's recipe of that name")
    return found


def _first_file(*paths: Path) -> Path | None:
    return next((path for path in paths if path.exists()), None)


def train(recipe: Recipe, build_dir: Path, observer: Observer, *, again: bool = False) -> QuantizedModel:
    """The recipe's model: of an earlier training if all it read is unchanged (and not `again`), else trained now."""
    folder = build_dir / recipe.name / "trained" / training_digest(recipe)[:16]
    kept = None if again else load_kept(recipe, folder)
    if kept is not None:
        observer.note(f"model `{recipe.name}` kept from {kept.trained_at}; `tinyedge train --again` trains anew")
        observer.detail(f"trained model taken from {folder}")
        return kept.model
    observer.note(f"training `{recipe.name}`")
    with observer.progress("train") as report:
        return train_model(
            recipe, folder, progress=lambda stage, done, total: report(done, total, stage), note=observer.note
        )
