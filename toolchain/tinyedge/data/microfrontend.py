"""Features of the TFLM microfrontend as microWakeWord keeps them: ragged memory maps below folders of the parts.

`{class}/{training,validation,testing}/{name}_mmap/`, each a folder of flat values with the starts, ends and shapes of
its spectrograms; a class is a feature set. Long recordings lie in `validation_ambient/` and `testing_ambient/`.

Source: the description of feature sets in microWakeWord; mmap_ninja's files `data.ninja`, `dtype.ninja`,
        `shape.ninja` (little-endian uint64), `order.ninja`, `type.ninja`; uint16 features are of 1/25.6
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyedge.data.classes import choose_classes
from tinyedge.data.contract import Recordings
from tinyedge.data.files import list_files
from tinyedge.data.table import DataTable
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

MOST_BYTES = 4 << 30
"""of all values as float32"""
_PARTS = {
    "training": "train",
    "validation": "validation",
    "testing": "test",
    "validation_ambient": "validation",
    "testing_ambient": "test",
}
_SCALE = np.float32(1 / 25.6)
_TYPES = ("uint8", "int8", "uint16", "int16", "int32", "int64", "uint32", "uint64", "float16", "float32", "float64")
_HINT = "make the features again"
_DATA = "data.ninja"


@dataclass(frozen=True)
class _Set:
    """One ragged map. folder is relative to the root."""

    folder: str
    name: str
    part: str


class _Microfrontend:
    title = "feature sets of the TFLM microfrontend"
    layout = "`class/training/*_mmap/`, also validation, testing, validation_ambient, testing_ambient"
    split = "the folders training, validation, testing"
    is_general = False

    def recognizes(self, path: Path, head: bytes, names: Sequence[str]) -> bool:
        return any(True for _ in _sets(path, names))

    def read(self, path: Path, table: DataTable) -> Recordings:
        values: list[Array] = []
        names, sources, parts = [], [], []
        total = 0
        for each in _sets(path, list_files(path)):
            for row, spectrogram in enumerate(_spectrograms(path / each.folder)):
                if values and spectrogram.shape[1:] != values[0].shape[1:]:
                    raise UsageError(
                        f"`{path / each.folder}` has {list(spectrogram.shape[1:])} features a row, others "
                        f"{list(values[0].shape[1:])}",
                        hint=_HINT,
                    )
                total += 4 * spectrogram.size
                if total > MOST_BYTES:
                    raise UsageError(f"the features of `{path}` take more than {MOST_BYTES:,} B", hint="fewer sets")
                values.append(spectrogram)
                names.append(each.name)
                sources.append(f"{each.folder}[{row}]")
                parts.append(each.part)
        chosen = choose_classes(names, table)
        return Recordings(
            inputs={"features": [values[number] for number in chosen.numbers]},
            sources=[sources[number] for number in chosen.numbers],
            labels=chosen.labels,
            class_names=chosen.class_names,
            parts=[parts[number] for number in chosen.numbers],
            is_timed=True,
            notes=chosen.notes,
        )


def _sets(path: Path, names: Sequence[str]) -> Iterator[_Set]:
    """Every ragged map below a folder that names a part."""
    for file in names:
        parts = file.split("/")
        if parts[-1] != "type.ninja" or len(parts) < 3 or parts[-3] not in _PARTS:
            continue
        if (path / file).read_bytes()[:16] == b"ragged":
            name = "/".join(parts[:-3]) or path.resolve().name
            yield _Set("/".join(parts[:-1]), name, _PARTS[parts[-3]])


def _spectrograms(folder: Path) -> list[Array]:
    """The arrays [time, features] of one map, as float32. Raises: UsageError when a file is missing or damaged."""
    flat, starts, ends = (_flat(folder / name) for name in ("", "starts", "ends"))
    shapes = _flat(folder / "shapes" / "") if (folder / "shapes" / "starts").is_dir() else None
    if shapes is None or len(starts) != len(ends) or len(shapes) != 2 * len(starts):
        raise UsageError(f"`{folder}` holds no arrays [time, features]", hint=_HINT)
    scale = _SCALE if flat.dtype == np.uint16 else np.float32(1)
    found = []
    for row, (start, end) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
        shape = tuple(int(size) for size in shapes[2 * row : 2 * row + 2])
        if not 0 <= start < end <= len(flat) or math.prod(shape) != end - start:
            raise UsageError(f"`{folder}`, array {row}: values {start} to {end} are not {list(shape)}", hint=_HINT)
        found.append(flat[start:end].astype(np.float32).reshape(shape) * scale)
    if not found:
        raise UsageError(f"`{folder}` is empty", hint=_HINT)
    return found


def _flat(folder: Path) -> Array:
    """One flat array of a map."""
    try:
        kind = (folder / "dtype.ninja").read_text(encoding="ascii").strip()
        raw = (folder / "shape.ninja").read_bytes()
        size = (folder / _DATA).stat().st_size
        if kind not in _TYPES:
            raise UsageError(f"`{folder / 'dtype.ninja'}` says `{kind[:20]}`, no type of numbers", hint=_HINT)
        shape = [int.from_bytes(raw[at : at + 8], "little") for at in range(0, len(raw), 8)]
        if math.prod(shape) * np.dtype(kind).itemsize != size or len(shape) not in (1, 2) or size > MOST_BYTES:
            raise UsageError(f"`{folder / _DATA}` is damaged: it has {size:,} B for {shape} of {kind}", hint=_HINT)
        return np.frombuffer((folder / _DATA).read_bytes(), kind)
    except (OSError, ValueError) as error:
        raise UsageError(f"`{folder}` is damaged: {error}", hint=_HINT) from error


FORMAT = _Microfrontend()
