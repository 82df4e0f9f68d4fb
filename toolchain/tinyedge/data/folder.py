"""A folder of .npy files, each an array of its file's name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tinyedge.data import npy
from tinyedge.graph.ir import Array


class _Folder:
    title = "a folder of .npy"

    def recognizes(self, path: Path, head: bytes) -> bool:
        return path.is_dir() and any(path.glob("*.npy"))

    def read(self, path: Path) -> Mapping[str, Array]:
        arrays: dict[str, Array] = {}
        for file in sorted(path.glob("*.npy")):
            arrays |= npy.FORMAT.read(file)
        return arrays


FORMAT = _Folder()
