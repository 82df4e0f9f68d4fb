"""CIFAR-10's and CIFAR-100's Python version: batches that are pickles of plain arrays, read as such and not run.

Source: the CIFAR page (Krizhevsky): `data` uint8 [N, 3072], `labels`; CIFAR-100: `fine_labels`; names in batches.meta
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.data.cifar import PIXELS, recordings_of
from tinyedge.data.contract import Recordings
from tinyedge.data.plain_pickle import read_plain_pickle
from tinyedge.data.table import DataTable
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

_TEN = ("data_batch_", "test_batch")
_HUNDRED = ("train", "test", "meta")


class _CifarPython:
    title = "CIFAR's Python batches"
    layout = "`data_batch_1`..., `test_batch`, `batches.meta`; CIFAR-100: `train`, `test`, `meta`"
    split = "`test_batch` or `test`"
    is_general = False

    def recognizes(self, path: Path, head: bytes, names: Sequence[str]) -> bool:
        return path.is_dir() and bool(_batches(path))

    def read(self, path: Path, table: DataTable) -> Recordings:
        batches = ((file, *_batch(file)) for file in _batches(path))
        return recordings_of(batches, _class_names(path), path)


def _batches(path: Path) -> list[Path]:
    files = [child for child in sorted(path.iterdir()) if child.is_file() and not child.suffix]
    ten = [file for file in files if file.name.startswith(_TEN)]
    hundred = {file.name: file for file in files if file.name in _HUNDRED}
    return ten or ([hundred["test"], hundred["train"]] if len(hundred) == len(_HUNDRED) else [])


def _batch(file: Path) -> tuple[Array, Array]:
    table = read_plain_pickle(file)
    data = _entry(table, "data")
    classes = next((found for name in ("labels", "fine_labels") if (found := _entry(table, name)) is not None), None)
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != PIXELS:
        raise UsageError(f"`{file}` holds no `data` of uint8 [N, {PIXELS:,}]", hint="copy it again")
    if not isinstance(classes, list) or not all(isinstance(each, int) for each in classes) or not len(data):
        raise UsageError(f"`{file}` holds no `labels` of whole numbers", hint="copy it again")
    if len(classes) != len(data):
        raise UsageError(f"`{file}` has {len(data):,} images and {len(classes):,} labels", hint="copy it again")
    labels = np.array(classes, np.int64)
    if int(labels.min()) < 0:
        raise UsageError(f"`{file}` has the label {int(labels.min())}", hint="copy it again")
    return data, labels


def _entry(table: Any, name: str) -> Any:
    """What a table of Python 2 or 3 has under a name."""
    if not isinstance(table, dict):
        return None
    return table.get(name.encode(), table.get(name))


def _class_names(path: Path) -> tuple[str, ...]:
    for file, key in (("batches.meta", "label_names"), ("meta", "fine_label_names")):
        if (path / file).is_file():
            names = _entry(read_plain_pickle(path / file), key)
            if isinstance(names, list):
                return tuple(
                    name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names
                )
    return ()


FORMAT = _CifarPython()
