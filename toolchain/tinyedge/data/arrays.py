"""Arrays by their names as recordings: which one has the labels, the subjects, the split and the names of classes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tinyedge.data.contract import LABELS, PARTS, Recordings
from tinyedge.data.table import DataTable
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array
from tinyedge.tables import nearest

GROUPS = ("groups", "group", "subjects", "subject", "speaker")
SPLIT = ("split", "part")
CLASS_NAMES = ("class_names", "classes")
_LARGEST = float(np.finfo(np.float32).max)
TEXTS = (*GROUPS, *SPLIT, *CLASS_NAMES)
"""names of arrays that may hold text"""
_HINT = "an array of samples [N, ...], and `labels` [N]; docs/data.md shows every format"


def recordings_of(arrays: Mapping[str, Array], path: Path, table: DataTable) -> Recordings:
    """Recordings of named arrays, a row each.

    Raises: UsageError for what is empty, of several lengths, or not finite
    """
    left = dict(arrays)
    class_names = _taken(left, CLASS_NAMES, path)
    groups, split = _taken(left, GROUPS, path), _taken(left, SPLIT, path)
    names = (table.labels,) if table.labels else LABELS
    if table.labels and table.labels not in left:
        raise UsageError(f"`{path}` has no array `{table.labels}`", hint=nearest(table.labels, list(left)))
    labels = _taken(left, names, path)
    if not left:
        raise UsageError(f"`{path}` has labels and no samples", hint=_HINT)
    further = {"labels": labels, "groups": groups, "split": split}
    rows = left | {name: array for name, array in further.items() if array is not None}
    for name, array in rows.items():
        if array.ndim == 0 or len(array) == 0:
            raise UsageError(f"`{name}` of `{path}` is {list(array.shape)}, not [N, ...]", hint=_HINT)
        if array.dtype.kind == "f" and not (right := np.abs(array) <= _LARGEST).all():  # NaN is none of them
            row = int(np.argwhere(~right)[0][0])
            kind = "beyond float32" if np.isfinite(array).all() else "not finite"
            raise UsageError(
                f"`{name}` of `{path}` holds values that are {kind}, the first in row {row:,}",
                hint="leave those samples out",
            )
    lengths = {name: len(array) for name, array in rows.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"`{name}` {count:,}" for name, count in lengths.items())
        raise UsageError(f"the arrays of `{path}` differ in their number of samples: {told}", hint=_HINT)
    count = next(iter(lengths.values()))
    return Recordings(
        inputs=left,
        sources=[f"{path.name}[{row}]" for row in range(count)],
        labels=labels,
        class_names=_class_names(class_names, labels, path),
        groups=[] if groups is None else [str(group) for group in groups.tolist()],
        parts=[] if split is None else _parts(split, path),
        is_timed=all(array.ndim > 1 for array in left.values()),
    )


def _taken(left: dict[str, Array], names: tuple[str, ...], path: Path) -> Array | None:
    """The one array of these names, taken out of `left`."""
    found = [name for name in names if name in left]
    if len(found) > 1:
        what = "labels" if names == LABELS else names[0].replace("_", " ")
        told = ", ".join(f"`{name}`" for name in found)
        raise UsageError(f"`{path}` has {what} under several names: {told}", hint="keep one of them")
    return left.pop(found[0]) if found else None


def _class_names(given: Array | None, labels: Array | None, path: Path) -> tuple[str, ...]:
    """The names in their order. Raises: UsageError for a label without one, and for what names no classes."""
    if given is None:
        return ()
    names = tuple(str(name) for name in given.reshape(-1).tolist())
    if labels is None or labels.dtype.kind not in "iu":
        raise UsageError(f"`{path}` names {len(names):,} classes and has no whole numbers as `labels`", hint=_HINT)
    if int(labels.min()) < 0 or int(labels.max()) >= len(names):
        wrong = int(labels.max()) if int(labels.max()) >= len(names) else int(labels.min())
        raise UsageError(
            f"`{path}` has the label {wrong} and names {len(names):,} classes",
            hint=f"labels go from 0 to {len(names) - 1}",
        )
    return names


def _parts(split: Array, path: Path) -> list[str]:
    words = [str(word) for word in split.tolist()]
    for row, word in enumerate(words):
        if word not in PARTS:
            raise UsageError(f"row {row:,} of `split` of `{path}` is `{word}`", hint=nearest(word, PARTS))
    return words
