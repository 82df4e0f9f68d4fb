"""The splits of a recipe that has no data.py: what its [data] names, read and split by tinyedge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.data import DataTable, load_parts
from tinyedge.data.contract import Arrays
from tinyedge.errors import UsageError
from tinyedge.tables import TableError, read_table
from tinyedge.train.splits import Splits

MADE_UP = "MADE_UP.md"
"""a file in a folder of data that says in its first line how it was made up"""


def read_data_table(table: Mapping[str, Any]) -> DataTable:
    """[data] of a recipe without a data.py. Raises: TableError."""
    return read_table(DataTable, dict(table), "data")


def source_splits(table: Mapping[str, Any], folder: Path, *, normal_alone: bool = False) -> Splits:
    """What [data] names; paths are relative to `folder`.

    normal_alone  for an anomaly detector: only the first class is for training and validation

    Raises: UsageError as the format says it, and for what no network can be trained on
    """
    try:
        read = read_data_table(table)
    except TableError as error:
        raise UsageError(f"recipe.toml: {error}", hint="docs/recipe-keys.md has every key") from None
    parts = load_parts(read, folder)
    if parts.train.labels is None:
        raise UsageError(
            f"`{read.source}` has samples and nothing that says what they are",
            hint="a folder for each class, named after it; or a column or an array of labels",
        )
    names = parts.train.class_names
    if len(names) == 1:
        raise UsageError(
            f"`{read.source}` has one class, `{names[0]}`: there is nothing to tell it from",
            hint="add a folder or labels of something else",
        )
    named = parts.named()
    if normal_alone:
        named = _normal_alone(named)
    notes = (*parts.notes, *said_made_up(folder / read.source))
    return Splits(
        **{f"{name}_{what}": value for name, arrays in named.items() for what, value in _columns(arrays).items()},
        test_recordings=np.array(named["test"].sources) if _is_cut(named["test"]) else None,
        class_names=names,
        notes=notes,
    )


def said_made_up(source: Path) -> tuple[str, ...]:
    """What data that is made up says of itself; nothing for real data."""
    file = (source if source.is_dir() else source.parent) / MADE_UP
    if not file.is_file():
        return ()
    lines = file.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return (lines[0].strip("# ") if lines else "the data is made up",)


def _columns(arrays: Arrays) -> dict[str, Any]:
    """What Splits takes of a part. Whole numbers of several values are tokens; everything else is float32."""
    found = {
        name: values if values.dtype.kind in "iu" and values.ndim > 1 else values.astype(np.float32)
        for name, values in arrays.inputs.items()
    }
    inputs: Any = next(iter(found.values())) if len(found) == 1 else found
    return {"inputs": inputs, "targets": arrays.labels, "groups": np.array(arrays.groups)}


def _is_cut(arrays: Arrays) -> bool:
    """Whether a recording gave several samples."""
    return len(set(arrays.sources)) < len(arrays.sources)


def _normal_alone(parts: Mapping[str, Arrays]) -> dict[str, Arrays]:
    """The parts of an anomaly detector: what is not normal leaves the training and the validation. It goes into the
    test where nothing that is normal in them is of the same group."""
    kept = {name: _chosen(arrays, arrays.labels == 0) for name, arrays in parts.items() if name != "test"}
    groups = {group for arrays in kept.values() for group in arrays.groups}
    test = [parts["test"]]
    for name, arrays in parts.items():
        if name != "test":
            free = np.array([group not in groups for group in arrays.groups], bool)
            test.append(_chosen(arrays, (arrays.labels != 0) & free))
    whole = _joined(test)
    assert whole.labels is not None
    return {**kept, "test": replace(whole, labels=(whole.labels != 0).astype(np.int64))}


def _chosen(arrays: Arrays, wanted: npt.NDArray[Any] | bool) -> Arrays:
    at = np.flatnonzero(wanted)
    assert arrays.labels is not None
    return replace(
        arrays,
        inputs={name: values[at] for name, values in arrays.inputs.items()},
        labels=arrays.labels[at],
        sources=tuple(arrays.sources[number] for number in at),
        groups=tuple(arrays.groups[number] for number in at),
    )


def _joined(parts: list[Arrays]) -> Arrays:
    first = parts[0]
    return replace(
        first,
        inputs={name: np.concatenate([part.inputs[name] for part in parts]) for name in first.inputs},
        labels=np.concatenate([part.labels for part in parts if part.labels is not None]),
        sources=tuple(source for part in parts for source in part.sources),
        groups=tuple(group for part in parts for group in part.groups),
    )
