"""A folder of .npy files, each an array of its file's name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tinyedge.data.arrays import recordings_of
from tinyedge.data.contract import Recordings
from tinyedge.data.npy import read_file
from tinyedge.data.table import DataTable
from tinyedge.graph.ir import Array


class _Folder:
    title = "a folder of .npy"
    layout = "an array for each input, and `labels.npy`, called as in a .npz"
    split = "as in a .npz"
    is_general = False

    def recognizes(self, path: Path, head: bytes, names: Sequence[str]) -> bool:
        return any("/" not in name and name.endswith(".npy") for name in names)

    def read(self, path: Path, table: DataTable) -> Recordings:
        arrays: dict[str, Array] = {}
        for file in sorted(path.glob("*.npy")):
            arrays |= read_file(file)
        return recordings_of(arrays, path, table)


FORMAT = _Folder()
