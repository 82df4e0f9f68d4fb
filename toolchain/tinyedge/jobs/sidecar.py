"""What a file with a model does not say of it, in a `model.toml` beside it: its features, and how it listens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinyedge.artifacts import QuantizedModel
from tinyedge.errors import UsageError
from tinyedge.features import read_features
from tinyedge.features.contract import Features
from tinyedge.features.stream import StreamSettings
from tinyedge.tables import TableError, read_table, read_toml

SIDECAR = "model.toml"
"""beside a model; `<name>.model.toml` goes before it"""


@dataclass(frozen=True, kw_only=True)
class SidecarFile:
    """What model.toml holds. The table [features] is read by its `kind`."""

    features: dict[str, Any] | None = None
    """what its only input is computed of, as in a recipe; read by its `kind`"""
    stream: StreamSettings | None = None
    """how it listens to a signal, as in a recipe"""
    classes: tuple[str, ...] = ()
    """names of the first output's channels, in their order"""


@dataclass(frozen=True)
class Sidecar:
    """What it says; None and empty where it says nothing. `classes`: the names of the first output's channels."""

    features: Features | None = None
    stream: StreamSettings | None = None
    classes: tuple[str, ...] = ()

    def applied_to(self, model: QuantizedModel) -> QuantizedModel:
        """The model with what is said of it here."""
        names = self.classes or model.class_names
        return replace(model, features=self.features, stream=self.stream, class_names=names)


def find_sidecar(model: Path) -> Path | None:
    """The file beside a model; None when there is none."""
    named, shared = model.with_suffix(f".{SIDECAR}"), model.with_name(SIDECAR)
    return next((path for path in (named, shared) if path.exists()), None)


def read_sidecar(model: Path) -> Sidecar:
    """What the file beside a model states. Raises: UsageError that names the file, the key and the rule it breaks."""
    path = find_sidecar(model)
    if path is None:
        return Sidecar()
    try:
        table = read_table(SidecarFile, read_toml(path))
        features = None if table.features is None else read_features(table.features)
        if table.stream is not None and features is None:
            raise TableError("a table [stream] needs a table [features]")
        return Sidecar(features, table.stream, table.classes)
    except TableError as error:
        raise UsageError(f"`{path}`: {error}", hint="docs/features.md lists kinds and keys") from None
