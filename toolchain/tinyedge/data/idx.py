"""idx files, as MNIST and its kin lie in them: `train-images-idx3-ubyte`, `t10k-labels-idx1-ubyte`, also packed (.gz).

Source: THE IDX FILE FORMAT of the MNIST page (LeCun, Cortes, Burges): two zero bytes, a type, the number of
        dimensions, their sizes as big-endian uint32, the values
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyedge.data import gz
from tinyedge.data.contract import Recordings
from tinyedge.data.table import DataTable
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_LONGEST_HEADER = 4 + 4 * 8
_PARTS = {"train": "train", "t10k": "test", "test": "test", "validation": "validation"}


class _Idx:
    title = "idx files"
    layout = "`train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-...`, also .gz"
    split = "`train-` and `t10k-` or `test-`"
    is_general = False

    def recognizes(self, path: Path, head: bytes, names: Sequence[str]) -> bool:
        if path.is_dir():
            return any("/" not in name and "-idx" in name for name in names)
        return _is_idx(head) or (head.startswith(gz.MAGIC) and _is_idx(gz.unpacked_head(path, 4)))

    def read(self, path: Path, table: DataTable) -> Recordings:
        if path.is_file():
            pairs = [(path, _labels_of(path), "")]
        else:
            images = sorted(child for child in path.iterdir() if "images-idx" in child.name)
            if not images:
                raise UsageError(f"`{path}` has no `*-images-idx*` file", hint="unpack the set again")
            pairs = [(child, _labels_of(child), _part(child.name)) for child in images]
        values: list[Array] = []
        labels: list[Array] = []
        sources: list[str] = []
        parts: list[str] = []
        for file, labels_file, part in pairs:
            array = read_idx(file)
            if labels_file is None and path.is_dir():
                raise UsageError(f"`{file}` has no file of labels beside it", hint="`*-labels-idx1-ubyte`")
            found = read_idx(labels_file) if labels_file is not None else None
            if found is not None and (found.ndim != 1 or len(found) != len(array)):
                raise UsageError(
                    f"`{labels_file}` has {list(found.shape)} labels, `{file}` {len(array):,} samples",
                    hint="unpack the set again",
                )
            if values and array.shape[1:] != values[0].shape[1:]:
                raise UsageError(
                    f"`{file}` has samples of {list(array.shape[1:])}, `{pairs[0][0]}` of {list(values[0].shape[1:])}"
                )
            values.append(array)
            if found is not None:
                labels.append(found.astype(np.int64))
            sources += [f"{file.name}[{row}]" for row in range(len(array))]
            parts += [part] * len(array)
        return Recordings(
            inputs={"image": _scaled(np.concatenate(values))},
            sources=sources,
            labels=np.concatenate(labels) if labels else None,
            parts=parts,
        )


def read_idx(path: Path) -> Array:
    """The array of one file. Raises: UsageError when it is damaged, truncated, empty or too large."""
    head = gz.unpacked_head(path, _LONGEST_HEADER)
    if not _is_idx(head):
        raise UsageError(f"`{path}` is no idx file, or damaged", hint="unpack the set again")
    dimensions = head[3]
    start = 4 + 4 * dimensions
    if len(head) < start:
        raise UsageError(f"`{path}` is damaged: it ends within its header", hint="copy it again")
    shape = tuple(int.from_bytes(head[4 + 4 * at : 8 + 4 * at], "big") for at in range(dimensions))
    dtype = np.dtype(_TYPES[head[2]])
    expected = math.prod(shape) * dtype.itemsize
    data = gz.read_whole(path, start + expected)
    if len(data) < start + expected:
        raise UsageError(
            f"`{path}` is damaged: {list(shape)} take {expected:,} B, it has {len(data) - start:,} B",
            hint="copy it again",
        )
    if not expected:
        raise UsageError(f"`{path}` is empty: {list(shape)}", hint="copy it again")
    return np.frombuffer(data, dtype, offset=start).reshape(shape)


def _scaled(values: Array) -> Array:
    """Bytes as float32 in [0, 1], with a channel behind height and width; other types as they are."""
    if values.dtype.itemsize != 1 or values.ndim < 3:
        return values.astype(np.float32)
    scaled = values.astype(np.float32) / np.float32(255)
    return scaled[..., None] if scaled.ndim == 3 else scaled


def _is_idx(head: bytes) -> bool:
    return len(head) >= 4 and head[:2] == b"\0\0" and head[2] in _TYPES and 1 <= head[3] <= 8


def _labels_of(images: Path) -> Path | None:
    """The file of labels beside one of images."""
    if "images-idx" not in images.name:
        return None
    name = images.name.replace("images-idx3", "labels-idx1").replace("images-idx4", "labels-idx1")
    bare = name.removesuffix(".gz")
    return next(
        (images.with_name(each) for each in (name, bare, f"{bare}.gz") if images.with_name(each).is_file()), None
    )


def _part(name: str) -> str:
    lowered = name.lower()
    return next((part for start, part in _PARTS.items() if lowered.startswith(start) or f"-{start}-" in lowered), "")


FORMAT = _Idx()
