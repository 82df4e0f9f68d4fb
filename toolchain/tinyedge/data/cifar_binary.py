"""CIFAR-10's and CIFAR-100's binary version: `data_batch_1.bin`, `test_batch.bin`, or `train.bin`, `test.bin`.

Source: the CIFAR page (Krizhevsky): a label byte (CIFAR-100: coarse, then fine), then 1,024 red, green and blue bytes
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyedge.data.cifar import PIXELS, recordings_of
from tinyedge.data.contract import Recordings
from tinyedge.data.table import DataTable
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

MOST_BYTES = 1 << 30
_FILES = ("data_batch_", "test_batch", "train", "test")
_NAMES = ("batches.meta.txt", "fine_label_names.txt")


class _CifarBinary:
    title = "CIFAR's binary batches"
    layout = "`data_batch_1.bin`..., `test_batch.bin`, `batches.meta.txt`; CIFAR-100: `train.bin`, `test.bin`"
    split = "`test_batch.bin` or `test.bin`"
    is_general = False

    def recognizes(self, path: Path, head: bytes, names: Sequence[str]) -> bool:
        return path.is_dir() and bool(_batches(path))

    def read(self, path: Path, table: DataTable) -> Recordings:
        files = _batches(path)
        label_bytes = 2 if any(file.stem == "train" for file in files) else 1
        batches = ((file, *_batch(file, label_bytes)) for file in files)
        return recordings_of(batches, _class_names(path), path)


def _batches(path: Path) -> list[Path]:
    return sorted(child for child in path.glob("*.bin") if child.stem.startswith(_FILES))


def _batch(file: Path, label_bytes: int) -> tuple[Array, Array]:
    size, row = file.stat().st_size, label_bytes + PIXELS
    if size > MOST_BYTES:
        raise UsageError(f"`{file}` has {size:,} B; at most {MOST_BYTES:,} B are read")
    if size % row or not size:
        raise UsageError(
            f"`{file}` is damaged: {size:,} B are no whole number of images of {row:,} B", hint="copy it again"
        )
    rows = np.frombuffer(file.read_bytes(), np.uint8).reshape(-1, row)
    return rows[:, label_bytes:], rows[:, label_bytes - 1].astype(np.int64)


def _class_names(path: Path) -> tuple[str, ...]:
    for name in _NAMES:
        if (path / name).is_file():
            lines = (path / name).read_text(encoding="utf-8", errors="replace").splitlines()
            return tuple(line.strip() for line in lines if line.strip())
    return ()


FORMAT = _CifarBinary()
