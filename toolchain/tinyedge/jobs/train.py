"""From a name to a model: a .tflite as it is, or what training makes of a recipe, kept until something changes.

What training made lies in `<build folder>/<model>/trained/<digest>/`, by the digest of all that determines it.
"""

from __future__ import annotations

import re
from pathlib import Path

from tinyedge.artifacts import Observer, QuantizedModel
from tinyedge.errors import UsageError
from tinyedge.train import load_trained, train_model, training_digest
from tinyedge.train.recipe import Recipe, find_recipe


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


def model_name(path: Path) -> str:
    """A name for folders, symbols and the banner, from the name of a file.

    >>> model_name(Path("my net (v2).tflite"))
    'my_net_v2'
    """
    return re.sub(r"[^A-Za-z0-9]+", "_", path.stem).strip("_") or "model"


def train(recipe: Recipe, build_dir: Path, observer: Observer, *, again: bool = False) -> QuantizedModel:
    """The recipe's model: from an earlier training if nothing changed since (and not `again`), else trained now."""
    folder = build_dir / recipe.name / "trained" / training_digest(recipe)[:16]
    kept = None if again else load_trained(folder)
    if kept is not None:
        observer.detail(f"trained model taken from {folder}")
        return kept
    observer.note(f"training `{recipe.name}`")
    with observer.progress("train") as report:
        return train_model(recipe, folder, progress=lambda stage, done, total: report(done, total, stage))
