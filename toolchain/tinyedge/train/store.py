"""Trained models on disk: what one is determined by, how one is written, and how one is read back."""

from __future__ import annotations

import io
import json
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge import __version__
from tinyedge.artifacts import QuantizedModel
from tinyedge.artifacts.model import Labelled
from tinyedge.boards import load_board
from tinyedge.data import source_digest
from tinyedge.digests import canonical_json, digest
from tinyedge.errors import UsageError
from tinyedge.features import read_features
from tinyedge.paths import boards_dir, sweep, write_whole
from tinyedge.systems import processor_name
from tinyedge.train.inputs import are_unchanged
from tinyedge.train.recipe import Recipe

MODEL, SAMPLES, METRICS = "model.tflite", "samples.npz", "metrics.json"
_SCHEMA = "tinyedge.trained/4"
_ROOMS = ("train", "data", "features", "graph", "ops", "arithmetic")
"""of tinyedge: whose code a training runs"""
_JUDGING_ROOMS = ("optimize", "kernels", "plan", "cost")
"""and where a technique asks what a network takes on a board"""
_SOURCES = (".py", ".toml", ".json")
_PACKAGES = (
    "tensorflow",
    "tf-keras",
    "tensorflow-model-optimization",
    "numpy",
    "scikit-learn",
    "tensorly",
    "ai-edge-litert",
)


def numbered(name: str, index: int) -> str:
    """What the arrays of the inputs and outputs behind the first are called.

    >>> numbered("samples", 0), numbered("samples", 1)
    ('samples', 'samples_1')
    """
    return f"{name}_{index}" if index else name


def training_digest(recipe: Recipe) -> str:
    """Digest of everything that determines the trained model, without importing TensorFlow.

    That is: the recipe but for what only later stages read (`optimize`, `summary`, budgets), the Python files of its
    folder, everything in a folder `data` there and in each `source` it names, the sources of tinyedge that a training
    runs, the versions of the packages, and the kind of machine. What else the recipe's code reads shows only when it
    runs: `load_kept` checks it.
    """
    relevant = {key: value for key, value in recipe.to_json().items() if key not in ("optimize", "max_ram", "summary")}
    parts: list[bytes | str] = [recipe.name, canonical_json(relevant)]
    package = Path(__file__).parents[1]
    boards = {board for technique in recipe.compress if (board := getattr(technique, "board", ""))}
    rooms = (*_ROOMS, *_JUDGING_ROOMS) if boards else _ROOMS
    for folder, files in (
        (recipe.folder, [*recipe.folder.glob("*.py"), *_files_below(recipe.folder / "data")]),
        (package, [path for room in rooms for path in _files_below(package / room) if path.suffix in _SOURCES]),
    ):
        for path in sorted(files):
            parts += [path.relative_to(folder).as_posix(), path.read_bytes()]
    parts += [(boards_dir() / f"{load_board(board).name}.toml").read_bytes() for board in sorted(boards)]
    if recipe.has_source:
        parts.append(source_digest(recipe.folder / str(recipe.data["source"])))
    parts += [source_digest(source) for source in recipe.noise_sources]
    parts += [f"{package} {_version(package)}" for package in _PACKAGES]
    parts.append(f"{platform.system()} {platform.machine()} {sys.version_info.major}.{sys.version_info.minor}")
    return digest(*parts)


def training_machine() -> dict[str, str]:
    """What a training runs on and with: the same here gives the same model; another processor may not."""
    return {
        "processor": processor_name(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "tinyedge": __version__,
        **{package: _version(package) for package in _PACKAGES},
    }


def _files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "absent"


def write_trained(folder: Path, files: dict[str, bytes], figures: dict[str, Any]) -> None:
    """Write `files` and, last, metrics.json with `figures` and the digests of the files.

    Whatever interrupts it, `load_trained` sees the old model, or none, or the new one: never a mixture.

    Raises: UsageError when the folder cannot be written
    """
    document = {"schema": _SCHEMA, **figures, "files": {name: digest(data) for name, data in files.items()}}
    document["seal"] = _seal(document)
    text = json.dumps(document, indent=2) + "\n"
    for name, data in (*files.items(), (METRICS, text.encode())):
        try:
            write_whole(folder / name, data)
        except OSError as error:
            raise cannot_write(folder, error) from error


def cannot_write(folder: Path, error: OSError) -> UsageError:
    return UsageError(
        f"nothing can be written into {folder}: {error.strerror or error}", hint="choose another folder for the build"
    )


def _seal(document: Mapping[str, Any]) -> str:
    """Digest of all of metrics.json but for itself."""
    return digest(canonical_json({key: value for key, value in document.items() if key != "seal"}))


@dataclass(frozen=True, eq=False)
class Kept:
    """The result of an earlier training."""

    model: QuantizedModel
    trained_at: str
    """day and time"""


def load_kept(recipe: Recipe, folder: Path) -> Kept | None:
    """The result in `folder` if everything that its training read is as it was; None else."""
    model = load_trained(folder)
    document = _read_metrics(folder)
    if model is None or document is None or not isinstance(inputs := document.get("inputs"), dict):
        return None
    if not are_unchanged(inputs, recipe.folder):
        return None
    return Kept(model, str(document.get("trained_at", "")))


def _read_metrics(folder: Path) -> dict[str, Any] | None:
    """What metrics.json says; None when it is missing, damaged or of another version."""
    sweep(folder)
    try:
        document = json.loads((folder / METRICS).read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(document, dict) or document.get("schema") != _SCHEMA or document.get("seal") != _seal(document):
        return None
    return document


def load_epochs(folder: Path) -> dict[str, Any]:
    """What was told of each epoch of the training in `folder`: `samples` of each split, and `epochs`, a row each."""
    document = _read_metrics(folder) or {}
    return {key: document[key] for key in ("model", "samples", "epochs") if key in document}


def load_trained(folder: Path) -> QuantizedModel | None:
    """The model that `train_model` wrote into `folder`; None when there is none, or a file is missing or changed."""
    document = _read_metrics(folder)
    if document is None:
        return None
    try:
        files = {name: (folder / name).read_bytes() for name in (MODEL, SAMPLES)}
    except OSError:
        return None
    if document.get("files") != {name: digest(data) for name, data in files.items()}:
        return None
    heads, metrics = document["heads"], document["metrics"]
    with np.load(io.BytesIO(files[SAMPLES]), allow_pickle=False) as archive:
        names = [name for name in archive.files if name.startswith("samples")]
        samples = tuple(archive[numbered("samples", index)] for index in range(len(names)))
        raw = archive["raw"] if "raw" in archive.files else None
        labels = [
            archive[name] if (name := numbered("labels", i)) in archive.files else None for i in range(len(heads))
        ]
    return QuantizedModel(
        name=document["model"],
        tflite=files[MODEL],
        digest=digest(files[MODEL]),
        float_accuracy=document["float_accuracy"],
        int8_accuracy=document["int8_accuracy"],
        sparsity=document["sparsity"],
        samples=samples,
        labels=labels[0],
        metrics=metrics,
        class_names=tuple(document.get("class_names", ())),
        made_up=document.get("made_up", ""),
        trained_by=document.get("trained_by", {}),
        features=read_features(document["features"]) if document.get("features") else None,
        raw_samples=raw,
        further_labels=tuple(
            Labelled(i, name, array, metrics.get(f"float_{name}_accuracy"), metrics.get(f"int8_{name}_accuracy"))
            for i, (name, array) in enumerate(zip(heads, labels, strict=True))
            if i and array is not None
        ),
    )
