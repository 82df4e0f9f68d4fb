"""The smart-watch recordings that the package seglearn carries: read without running what a pickle may hold.

140 recordings of 6 axes (acceleration in g, rotation in rad/s) at 50 Hz: 7 exercises of the shoulder, done by 10 people
with the watch on either wrist.

Source: Burns et al., "Shoulder physiotherapy exercise recognition: machine learning the inertial signals from a
smartwatch" (2018), arXiv 1802.01489; BSD licence
"""

from __future__ import annotations

import codecs
import importlib.util
import io
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.errors import ToolError, UsageError

Array = npt.NDArray[Any]

EXERCISES = ("PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW")
"""pendulum, abduction, forward elevation, internal and external rotation, trapezius extension, rowing"""
RATE_HZ = 50
_MEMBER = "seglearn/data/watch_dataset.npy"
_MOST_BYTES = 64 << 20
_LEFT_TO_RIGHT = np.array([-1, 1, 1, 1, -1, -1], np.float32)
"""what the axes of one wrist become on the other: a reflection turns an acceleration's x, and of a rotation the rest"""
_HINT = "`pip install seglearn`, or name its wheel (seglearn-1.2.5-py3-none-any.whl) or its watch_dataset.npy"


@dataclass(frozen=True, eq=False)
class Recording:
    """One exercise of one person: samples float32 [time, 6], as if the watch was worn on the same wrist always."""

    number: int
    samples: Array
    exercise: int
    """place in EXERCISES"""
    subject: int
    """1 to 10"""


def read_watch(file: str = "") -> list[Recording]:
    """All recordings; `file` is a wheel of seglearn or its watch_dataset.npy, empty for the installed package.

    Raises: ToolError when there is none; UsageError for a file that is damaged or holds something else
    """
    path = Path(file) if file else _installed()
    if not path.is_file():
        raise UsageError(f"there is no file `{path}` with the recordings of the watch", hint=_HINT)
    fields = _unpickled(_contents(path), path)
    try:
        columns = [_numbers(fields[name], name) for name in ("y", "subject", "side")]
        samples = [np.asarray(array, np.float32) for array in fields["X"]]
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"`{path}` holds other data than the recordings of the watch: {error}", hint=_HINT) from error
    found = []
    for number, (values, exercise, subject, side) in enumerate(zip(samples, *columns, strict=True)):
        if values.ndim != 2 or values.shape[1] != 6 or not np.isfinite(values).all():
            raise UsageError(
                f"recording {number} of `{path}` is {list(values.shape)}, not finite [time, 6]", hint=_HINT
            )
        found.append(Recording(number, values * _LEFT_TO_RIGHT if side else values, int(exercise), int(subject)))
    return found


def _numbers(values: Any, name: str) -> Array:
    """A column as int64 [N]. Raises: ValueError."""
    found = np.asarray(values).astype(np.float64)
    if found.ndim != 1 or not np.isfinite(found).all():
        raise ValueError(f"`{name}` is {list(found.shape)}, not a column of numbers")
    return found.astype(np.int64)


def _installed() -> Path:
    spec = importlib.util.find_spec("seglearn")
    if spec is None or spec.origin is None:
        raise ToolError(
            "the recordings of the watch come with the Python package `seglearn`, which is not there", hint=_HINT
        )
    return Path(spec.origin).parent / "data" / "watch_dataset.npy"


def _contents(path: Path) -> bytes:
    """The bytes of watch_dataset.npy. Raises: UsageError."""
    try:
        if not zipfile.is_zipfile(path):
            if path.stat().st_size > _MOST_BYTES:
                raise UsageError(
                    f"`{path}` has {path.stat().st_size:,} B; at most {_MOST_BYTES:,} B are read", hint=_HINT
                )
            return path.read_bytes()
        with zipfile.ZipFile(path) as wheel:
            member = wheel.getinfo(_MEMBER)
            if member.file_size > _MOST_BYTES:
                raise UsageError(f"`{_MEMBER}` unpacks to {member.file_size:,} B; at most {_MOST_BYTES:,} B are read")
            return wheel.read(member)
    except (KeyError, OSError, zipfile.BadZipFile) as error:
        raise UsageError(f"`{path}` is no wheel of seglearn: {error}", hint=_HINT) from error


class _Arrays(pickle.Unpickler):
    """Reads arrays of numbers and nothing else: any other name in the pickle is refused before it is looked up."""

    _NAMES: Mapping[tuple[str, str], Any] = {
        ("numpy.core.multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0],
        ("numpy._core.multiarray", "_reconstruct"): np.zeros(0).__reduce__()[0],
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): codecs.encode,
    }

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"`{module}.{name}` in it is no array") from None


def _unpickled(contents: bytes, path: Path) -> Mapping[str, Any]:
    stream = io.BytesIO(contents)
    try:
        np.lib.format.read_magic(stream)
        np.lib.format.read_array_header_1_0(stream)
        fields = _Arrays(stream).load().item()
    except Exception as error:  # of any kind: a damaged pickle may fail anywhere
        raise UsageError(f"`{path}` cannot be read as the recordings of the watch: {error}", hint=_HINT) from error
    if not isinstance(fields, dict):
        raise UsageError(f"`{path}` holds other data than the recordings of the watch", hint=_HINT)
    return fields


def cut_windows(recordings: list[Recording], length: int, stride: int) -> tuple[Array, Array, Array, Array]:
    """(windows float32 [N, length, 6], and of each its exercise, subject and the number of its recording)."""
    starts = [range(0, len(each.samples) - length + 1, stride) for each in recordings]
    counts = [len(each) for each in starts]
    windows = [each.samples[at : at + length] for each, places in zip(recordings, starts, strict=True) for at in places]
    columns = [[getattr(each, name) for each in recordings] for name in ("exercise", "subject", "number")]
    exercises, subjects, numbers = (np.repeat(np.array(column, np.int64), counts) for column in columns)
    return np.stack(windows), exercises, subjects, numbers
