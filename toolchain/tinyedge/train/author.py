"""The Python files of a recipe: imported, called, and what they return checked before time is spent on it."""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.errors import ModelError, TinyEdgeError, ToolError, UsageError
from tinyedge.install import extra_command
from tinyedge.train.recipe import Recipe
from tinyedge.train.source import load_source
from tinyedge.train.splits import Splits, named_arrays


def load_splits(recipe: Recipe) -> Splits:
    """What `load` of data.py returns for the recipe's [data], or the parts of the `source` it names.

    Raises: ModelError, UsageError
    """
    if recipe.has_source:
        return load_source(recipe)
    with _author(recipe.data_file, table="data"):
        return _splits(recipe.data_file, recipe.data)


def load_from(path: Path) -> Splits:
    """What `load` of another Python file of a recipe returns. Raises: ModelError."""
    with _author(path):
        return _splits(path, {})


def _splits(path: Path, arguments: Mapping[str, Any]) -> Splits:
    splits = _function(path, "load")(**arguments)
    if not isinstance(splits, Splits):
        raise ModelError(
            f"`load` in {_short(path)} returned a {type(splits).__name__}",
            hint="return tinyedge.train.splits.Splits",
        )
    return splits


def build_model(recipe: Recipe, splits: Splits) -> Any:
    """The untrained model of model.py. Raises: ModelError.

    `build` may take `input_shape`, that of one sample of the first input, and `classes`, how many the first output has,
    and takes what [model] of the recipe says.
    """
    import tf_keras

    with _author(recipe.model_file, table="model" if recipe.model else ""):
        build = _function(recipe.model_file, "build")
        asked = inspect.signature(build).parameters
        told = {name: value for name, value in _told_of(splits).items() if name in asked}
        model = build(**told, **recipe.model)
    if not isinstance(model, tf_keras.Model):
        raise ModelError(
            f"`build` in {_short(recipe.model_file)} returned a {type(model).__module__}.{type(model).__name__}",
            hint="build the model with tf_keras, not keras",
        )
    return model


def build_from(path: Path, input_shape: tuple[int, ...], classes: int) -> Any:
    """The untrained model that `build` of another Python file of a recipe makes. Raises: ModelError."""
    import tf_keras

    with _author(path):
        build = _function(path, "build")
        told = {"input_shape": input_shape, "classes": classes}
        model = build(**{name: told[name] for name in inspect.signature(build).parameters if name in told})
    if not isinstance(model, tf_keras.Model):
        raise ModelError(f"`build` in {_short(path)} returned a {type(model).__module__}.{type(model).__name__}")
    return model


def _told_of(splits: Splits) -> dict[str, Any]:
    """What `build` may ask of the data."""
    inputs = next(iter(named_arrays("", splits.train_inputs).values()))
    targets = next(iter(named_arrays("", splits.train_targets).values()))
    sample = inputs[:1] if splits.features is None else splits.features(inputs[:1])
    one_hot = targets.shape[1] if targets.ndim == 2 and targets.shape[1] > 1 else 0
    classes = len(splits.class_names) or one_hot or int(np.max(targets)) + 1
    return {"input_shape": tuple(sample.shape[1:]), "classes": classes}


def _function(path: Path, name: str) -> Any:
    """The function `name` of a Python file of the recipe; modules beside the file can be imported by it."""
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    spec = importlib.util.spec_from_file_location(f"recipe_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    if not callable(function := getattr(module, name, None)):
        raise ModelError(f"{_short(path)} has no function `{name}`")
    return function


@contextlib.contextmanager
def _author(path: Path, table: str = "") -> Iterator[None]:
    """Errors of the recipe's own Python files, as what they are: errors of the recipe.

    `table` is the table of recipe.toml that holds the arguments of the call.
    """
    try:
        yield
    except TinyEdgeError:
        raise
    except ModuleNotFoundError as error:
        raise ToolError(
            f"{_short(path)} needs the Python package `{error.name}`, which is not installed",
            hint=f"`{extra_command('train')}` for the recipes of tinyedge; your own may need packages of their own",
        ) from error
    except SystemExit as error:
        raise ModelError(
            f"{_short(path)} ended the training: it called `sys.exit({error.code!r})`",
            hint="raise an error that says what is wrong instead",
        ) from error
    except Exception as error:
        traceback.print_exc()
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        if table and not frames and isinstance(error, TypeError):
            raise UsageError(f"[{table}] in recipe.toml does not fit {_short(path)}: {error}") from error
        line = f", line {frames[-1].lineno}" if frames else ""
        raise ModelError(f"{_short(path)} failed{line}: {type(error).__name__}: {error}") from error


def _short(path: Path) -> str:
    return f"`{path.parent.name}/{path.name}`"
