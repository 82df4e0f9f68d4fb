"""The data of a recipe that names a `source` instead of having a data.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.data import Arrays, DataTable, load_parts
from tinyedge.errors import UsageError
from tinyedge.tables import TableError, read_table
from tinyedge.train.recipe import Recipe
from tinyedge.train.splits import Splits

_SAME_RATE = 0.01
"""share by which rates may differ: clocks of sensors do"""
MADE_UP = "MADE_UP.md"
"""a file in a folder of data that says in its first line how the data was made up"""


def load_source(recipe: Recipe) -> Splits:
    """The parts of `source`, which share no recording and no subject. Raises: UsageError."""
    try:
        table = read_table(DataTable, dict(recipe.data), "data")
    except TableError as error:
        raise UsageError(f"`{recipe.folder / 'recipe.toml'}`: {error}") from None
    parts = load_parts(table, recipe.folder, are_values=recipe.task == "regression")
    rate, features = parts.train.rate_hz, recipe.features
    if features is not None and rate is not None and features.rate_hz and abs(rate / features.rate_hz - 1) > _SAME_RATE:
        raise UsageError(
            f"`{table.source}` has {rate:,.6g} samples a second; the features `{features.kind}` are of "
            f"{features.rate_hz:,}",
            hint=f"`rate_hz = {rate:.0f}` in [features], or recordings of its rate",
        )
    names = parts.train.class_names
    if len(names) == 1:
        raise UsageError(
            f"`{table.source}` has one class, `{names[0]}`: there is nothing to tell it from",
            hint="add a folder, or labels, of something else",
        )
    named = parts.named()
    if recipe.task == "anomaly":
        named = _normal_alone(named)
    of_parts = {name: (_inputs(arrays), _labels(arrays, table)) for name, arrays in named.items()}
    (train, train_labels), (test, test_labels) = of_parts["train"], of_parts["test"]
    validation, validation_labels = of_parts.get("validation", (None, None))
    groups: dict[str, Any] = {
        f"{name}_groups": np.array(arrays.groups)
        for name, arrays in named.items()
        if len(arrays.groups) == arrays.count
    }
    several = len(set(named["test"].sources)) < named["test"].count
    return Splits(
        train,
        train_labels,
        test,
        test_labels,
        validation,
        validation_labels,
        class_names=names,
        test_recordings=np.array(named["test"].sources) if several else None,
        made_up=made_up(recipe.folder / table.source),
        notes=parts.notes,
        **(groups if len(groups) == len(named) else {}),
    )


def made_up(source: Path) -> str:
    """How data was made up, as it says itself; empty for real data."""
    file = (source if source.is_dir() else source.parent) / MADE_UP
    if not file.is_file():
        return ""
    lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[0].strip("# ") if lines else "made up"


def _normal_alone(parts: Mapping[str, Arrays]) -> dict[str, Arrays]:
    """The parts of an anomaly detector, whose first class is what is normal: the others leave training and validation.

    They go into the test where nothing normal that is left there is of their group.
    """
    kept = {name: _chosen(arrays, arrays.labels == 0) for name, arrays in parts.items() if name != "test"}
    groups = {group for arrays in kept.values() for group in arrays.groups}
    test = [parts["test"]]
    for name in kept:
        free = np.array([group not in groups for group in parts[name].groups], bool)
        test.append(_chosen(parts[name], free & (parts[name].labels != 0)))
    labels = np.concatenate([part.labels != 0 for part in test])
    inputs = {name: np.concatenate([part.inputs[name] for part in test]) for name in test[0].inputs}
    sources = tuple(source for part in test for source in part.sources)
    several = tuple(group for part in test for group in part.groups)
    whole = replace(test[0], inputs=inputs, labels=labels.astype(np.int64), sources=sources, groups=several)
    return {**kept, "test": whole}


def _chosen(arrays: Arrays, wanted: Any) -> Arrays:
    """Those samples of a part that are wanted, bool [N]."""
    at = np.flatnonzero(wanted)
    return replace(
        arrays,
        inputs={name: values[at] for name, values in arrays.inputs.items()},
        labels=None if arrays.labels is None else arrays.labels[at],
        sources=tuple(arrays.sources[number] for number in at),
        groups=tuple(arrays.groups[number] for number in at),
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
