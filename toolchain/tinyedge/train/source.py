"""The data of a recipe that names a `source` instead of having a data.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.data import Arrays, DataTable, load_parts
from tinyedge.errors import UsageError
from tinyedge.tables import TableError, read_table
from tinyedge.train.recipe import Recipe
from tinyedge.train.splits import Splits


def load_source(recipe: Recipe) -> Splits:
    """The parts of `source`, which share no recording and no subject. Raises: UsageError."""
    try:
        table = read_table(DataTable, dict(recipe.data), "data")
    except TableError as error:
        raise UsageError(f"`{recipe.folder / 'recipe.toml'}`: {error}") from None
    parts = load_parts(table, recipe.folder)
    named = parts.named()
    of_parts = {name: (_inputs(arrays), _labels(arrays, table)) for name, arrays in named.items()}
    (train, train_labels), (test, test_labels) = of_parts["train"], of_parts["test"]
    validation, validation_labels = of_parts.get("validation", (None, None))
    groups: dict[str, Any] = {
        f"{name}_groups": np.array(arrays.groups)
        for name, arrays in named.items()
        if len(arrays.groups) == arrays.count
    }
    several = len(set(parts.test.sources)) < len(parts.test.sources)
    return Splits(
        train,
        train_labels,
        test,
        test_labels,
        validation,
        validation_labels,
        class_names=parts.train.class_names,
        test_recordings=np.array(parts.test.sources) if several else None,
        notes=parts.notes,
        **(groups if len(groups) == len(named) else {}),
    )


def _inputs(arrays: Arrays) -> Any:
    """The arrays as a model takes them: float32, or int32 of tokens; one, or a tuple in the order of the source."""
    found = tuple(
        array if array.dtype in (np.float32, np.int32) else array.astype(np.float32) for array in arrays.inputs.values()
    )
    return found[0] if len(found) == 1 else found


def _labels(arrays: Arrays, table: DataTable) -> npt.NDArray[Any]:
    if arrays.labels is None:
        raise UsageError(
            f"`{table.source}` has no labels to train with", hint="docs/data.md shows where each format has them"
        )
    return arrays.labels
