"""CIFAR-10's and CIFAR-100's binary version: `data_batch_1.bin`, `test_batch.bin`, or `train.bin`, `test.bin`.

Source: the CIFAR page (Krizhevsky): a label byte (CIFAR-100: coarse, then fine), then 1,024 red, green and blue bytes
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyedge.data.contract import Recordings
from tinyedge.data.table import DataTable
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

PIXELS = 3 * 32 * 32
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
        images, labels, sources, parts = [], [], [], []
        for file in files:
            found = _batch(file, label_bytes)
            labels.append(found[:, label_bytes - 1].astype(np.int64))
            images.append(pixels(found[:, label_bytes:]))
            sources += [f"{file.name}[{row}]" for row in range(len(found))]
            parts += ["test" if file.name.startswith("test") else "train"] * len(found)
        every = np.concatenate(labels)
        return Recordings(
            inputs={"image": np.concatenate(images)},
            sources=sources,
            labels=every,
            class_names=named(_class_names(path), every, path),
            parts=parts,
            axes=("red", "green", "blue"),
        )


def pixels(values: Array) -> Array:
    """Planes of bytes as float32 [N, 32, 32, 3] in [0, 1]."""
    planes = values.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(planes, np.float32) / np.float32(255)


def named(names: tuple[str, ...], labels: Array, path: Path) -> tuple[str, ...]:
    """The names of classes, where there is one for each label. Raises: UsageError for a label without a name."""
    if names and int(labels.max()) >= len(names):
        raise UsageError(f"`{path}` has the label {int(labels.max())} and names {len(names)} classes")
    return names


def _batches(path: Path) -> list[Path]:
    return sorted(child for child in path.glob("*.bin") if child.stem.startswith(_FILES))


def _batch(file: Path, label_bytes: int) -> Array:
    size, row = file.stat().st_size, label_bytes + PIXELS
    if size > MOST_BYTES:
        raise UsageError(f"`{file}` has {size:,} B; at most {MOST_BYTES:,} B are read")
    if size % row or not size:
        raise UsageError(
            f"`{file}` is damaged: {size:,} B are no whole number of images of {row:,} B", hint="copy it again"
        )
    return np.frombuffer(file.read_bytes(), np.uint8).reshape(-1, row)


def _class_names(path: Path) -> tuple[str, ...]:
    for name in _NAMES:
        if (path / name).is_file():
            lines = (path / name).read_text(encoding="utf-8", errors="replace").splitlines()
            return tuple(line.strip() for line in lines if line.strip())
    return ()


FORMAT = _CifarBinary()
