"""From a name to a model: a .tflite as it is, or what training makes of a recipe, kept until something changes.

What training made lies in `<build folder>/<model>/trained/<digest>/`, by the digest of all that determines it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from tinyedge.artifacts import Observer, QuantizedModel
from tinyedge.artifacts.folds import Fold, Folds
from tinyedge.convert import DATA_PAGE, DEFAULTS, Settings, convert, model_of, recognize, refuse
from tinyedge.errors import UsageError
from tinyedge.install import extra_command
from tinyedge.jobs.last_training import as_last_trained
from tinyedge.jobs.sidecar import read_sidecar
from tinyedge.paths import models_dir, write_whole
from tinyedge.train import load_kept, train_model, training_digest
from tinyedge.train.curves import draw_curves
from tinyedge.train.recipe import Recipe, find_recipe, list_models
from tinyedge.train.store import load_epochs

_SUFFIXES = (".tflite", ".keras", ".h5", ".onnx", ".pt2")
EPOCHS_SCHEMA = "tinyedge.epochs/1"
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
    budget_place: Path | None = None
    """where one would be; None: a model in memory has none"""


def load_model(
    spec: str | QuantizedModel,
    build_dir: Path,
    observer: Observer,
    data: Path | None = None,
    settings: Settings = DEFAULTS,
) -> Loaded:
    """A quantized .tflite or a model in memory as it is, a model of another world converted, or that of a recipe
    trained as it was last, unless that was done before.

    data, settings  what a model of another world is converted with

    Raises: UsageError when there is none of them, or no data to convert with; TrainingError as training does
    """
    if isinstance(spec, QuantizedModel):
        return Loaded(spec)
    found = find_model(spec, observer)
    if isinstance(found, Path):
        place = found.with_suffix(f".{BUDGET}")
        budget = _first_file(place, found.with_name(BUDGET))
        sidecar = read_sidecar(found)
        if (front := recognize(found)) is None:
            return Loaded(sidecar.applied_to(QuantizedModel.from_file(found)), budget=budget, budget_place=place)
        if data is None:
            raise UsageError(
                f"`{spec}` is {model_of(front)}: to quantize it, tinyedge needs samples of its inputs",
                hint=f"`--data FILE.npz`, with an array of samples, and `labels` if there are some: {DATA_PAGE}",
            )
        converted = sidecar.applied_to(convert(found, data, settings, observer).model)
        return Loaded(converted, budget=budget, budget_place=place)
    place = found.folder / BUDGET
    found = as_last_trained(found, build_dir, observer)
    return Loaded(train(found, build_dir, observer), found.optimize, found.max_ram, _first_file(place), place)


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


def trained_folder(recipe: Recipe, build_dir: Path) -> Path:
    """Where the recipe's model is kept."""
    return build_dir / recipe.name / "trained" / training_digest(recipe)[:16]


def train(recipe: Recipe, build_dir: Path, observer: Observer, *, again: bool = False) -> QuantizedModel:
    """The recipe's model: of an earlier training if all it read is unchanged (and not `again`), else trained now."""
    folder = trained_folder(recipe, build_dir)
    kept = None if again else load_kept(recipe, folder)
    if kept is not None:
        observer.note(f"model `{recipe.name}` kept from {kept.trained_at}; `tinyedge train --again` trains anew")
        observer.detail(f"trained model taken from {folder}")
        return replace(kept.model, stream=recipe.stream)
    observer.note(f"training `{recipe.name}`")
    with observer.progress("train") as report:
        model = train_model(
            recipe, folder, progress=lambda stage, done, total: report(done, total, stage), note=observer.note
        )
    return replace(model, stream=recipe.stream)


def train_folds(recipe: Recipe, build_dir: Path, observer: Observer, *, again: bool = False) -> Folds:
    """The recipe trained once for each of its folds. Raises: UsageError when it has none."""
    each = recipe.each_fold()
    if not each:
        raise UsageError(
            f"recipe `{recipe.name}` has no folds",
            hint="a table [folds] with lists of values for keys of [data], as `test_subjects = [[1, 2], [3, 4]]`",
        )
    found = []
    made_up = ""
    for number, (change, folded) in enumerate(each, 1):
        told = ", ".join(f"{key} = {value}" for key, value in change.items())
        observer.note(f"fold {number} of {len(each)}: {told}")
        model = train(folded, build_dir, observer, again=again)
        found.append(Fold(change, model.metrics, model.digest))
        made_up = model.made_up
    return Folds(recipe.name, recipe.seed, tuple(found), made_up)


def write_curves(recipe: Recipe, build_dir: Path, observer: Observer) -> tuple[Path, ...]:
    """Write what each epoch of the kept training gave as epochs.json and curves.png. Returns the files.

    Raises: UsageError when they cannot be written
    """
    document = load_epochs(trained_folder(recipe, build_dir))
    if not document.get("epochs"):
        return ()
    files = {"epochs.json": (json.dumps({"schema": EPOCHS_SCHEMA} | document, indent=2) + "\n").encode()}
    try:
        files["curves.png"] = draw_curves(recipe.name, document["epochs"])
    except ImportError:
        observer.note(f"no curves.png: matplotlib is not installed; `{extra_command('train')}` installs it")
    written = []
    for name, content in files.items():
        path = build_dir / recipe.name / name
        try:
            write_whole(path, content)
        except OSError as error:
            raise UsageError(f"`{path}` cannot be written: {error.strerror or error}") from error
        written.append(path)
    return tuple(written)
