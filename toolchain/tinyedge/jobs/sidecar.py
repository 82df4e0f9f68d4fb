"""What a file with a model does not say of it, in a `model.toml` beside it: its features."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyedge.errors import UsageError
from tinyedge.features import read_features
from tinyedge.features.contract import Features
from tinyedge.tables import TableError, read_table, read_toml

SIDECAR = "model.toml"
"""beside a model; `<name>.model.toml` goes before it"""


@dataclass(frozen=True, kw_only=True)
class _SidecarFile:
    """What model.toml holds. The table [features] is read by its `kind`."""

    features: dict[str, Any] | None = None


def find_sidecar(model: Path) -> Path | None:
    """The file beside a model; None when there is none."""
    named, shared = model.with_suffix(f".{SIDECAR}"), model.with_name(SIDECAR)
    return next((path for path in (named, shared) if path.exists()), None)


def read_sidecar(model: Path) -> Features | None:
    """The features that the file beside a model states; None when it states none.

    Raises: UsageError that names the file, the key and the rule it breaks
    """
    path = find_sidecar(model)
    if path is None:
        return None
    try:
        table = read_table(_SidecarFile, read_toml(path))
        return None if table.features is None else read_features(table.features)
    except TableError as error:
        raise UsageError(f"`{path}`: {error}", hint="docs/features.md lists kinds and keys") from None
