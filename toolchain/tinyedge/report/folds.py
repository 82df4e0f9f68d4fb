"""A table of folds: each, the mean of each value of the first key, the mean of all, and the worst."""

from __future__ import annotations

from typing import Any

from tinyedge.artifacts.folds import Folds
from tinyedge.report.table import Cell, render_table


def render_folds(found: Folds) -> str:
    """The folds for a person."""
    names = [name for name in found.metrics if not name.startswith(("prune_", "quantize_aware_"))]
    rows: list[tuple[Cell, ...]] = [
        (_told(fold.change), *(f"{fold.metrics[name]:.4f}" for name in names)) for fold in found.folds
    ]
    first = next(iter(found.folds[0].change))
    values = list({repr(fold.change[first]): fold.change[first] for fold in found.folds}.values())
    if 1 < len(values) < len(found.folds):
        for value in values:
            rows.append((f"mean of {value}", *(f"{found.mean(name, **{first: value}):.4f}" for name in names)))
    rows.append(("mean", *(f"{found.mean(name):.4f}" for name in names)))
    rows.append(("worst", *(f"{found.worst(name):.4f}" for name in names)))
    told = f"\ndata made up: {found.made_up}\n" if found.made_up else ""
    heads = ("fold", *(_short(name) for name in names))
    return f"{found.model}, seed {found.seed}: {len(found.folds)} folds\n{told}\n{render_table(heads, rows)}\n"


def _told(change: Any) -> str:
    """The values of a fold.

    >>> _told({"normal": "ROW", "test_subjects": [1, 2]})
    'ROW, 1 2'
    """
    values = (" ".join(map(str, value)) if isinstance(value, list) else str(value) for value in change.values())
    return ", ".join(values)


def _short(name: str) -> str:
    """The head of a column.

    >>> _short("int8_recordings_accuracy"), _short("float_accuracy"), _short("mahalanobis_auc")
    ('int8 recordings', 'float', 'mahalanobis')
    """
    for end in ("accuracy", "auc", "mean_absolute_error"):
        if name.endswith(f"_{end}"):
            return name.removesuffix(f"_{end}").replace("_", " ")
    return name
