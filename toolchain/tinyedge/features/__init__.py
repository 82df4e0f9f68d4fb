"""Features on the device: one definition in integers for training, host and board."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from tinyedge.discovery import collect
from tinyedge.features.contract import Features
from tinyedge.tables import TableError, nearest, read_table

KINDS: Mapping[str, type[Features]] = MappingProxyType({kind.kind: kind for kind in collect(__name__, "KIND")})
"""every kind of features by its name in tables; a file of this folder adds its own by its KIND"""


def read_features(table: Any, where: str = "features") -> Features:
    """The features that a table states by its `kind` and the parameters of that kind. Raises: TableError."""
    if not isinstance(table, Mapping):
        raise TableError(f"`{where}` is {table!r}, not a table")
    kind = table.get("kind")
    if not isinstance(kind, str):
        raise TableError(f"`{where}` names no kind; known are {', '.join(f'`{known}`' for known in KINDS)}")
    if kind not in KINDS:
        raise TableError(f"`{where}.kind` is `{kind}`; {nearest(kind, KINDS)}")
    return read_table(KINDS[kind], {key: value for key, value in table.items() if key != "kind"}, where)
