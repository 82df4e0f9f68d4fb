"""From a name to a model: a .tflite as it is, or what training makes of a recipe, kept until something changes.

What training made lies in `<build folder>/<model>/trained/<digest>/`, by the digest of all that determines it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tinyedge.artifacts import Observer, QuantizedModel
from tinyedge.errors import UsageError
from tinyedge.train import load_kept, train_model, training_digest
from tinyedge.train.recipe import Recipe, find_recipe


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model, and what its recipe wants of the stages behind it."""

    model: QuantizedModel
    optimize: str = "balanced"
    budget: Path | None = None
    """the recipe's budget.toml, whether or not it is there"""


def load_model(spec: str, build_dir: Path, observer: Observer) -> Loaded:
    """A .tflite as it is, or the model of a recipe, trained unless that was done before.

    Raises: UsageError when there is neither; TrainingError as training does
    """
    found = find_model(spec)
    if isinstance(found, Path):
        return Loaded(QuantizedModel.from_file(found))
    return Loaded(train(found, build_dir, observer), found.optimize, found.folder / "budget.toml")


def find_model(spec: str) -> Recipe | Path:
    """A .tflite file by its path, or a recipe by name or folder.

    Raises: UsageError when there is neither.
    """
    path = Path(spec)
    if path.suffix == ".tflite" or path.is_file():
        if not path.is_file():
            raise UsageError(f"there is no file `{spec}`", hint="give the path of a .tflite, or the name of a recipe")
        return path
    return find_recipe(spec)


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
        return train_model(recipe, folder, progress=lambda stage, done, total: report(done, total, stage))
