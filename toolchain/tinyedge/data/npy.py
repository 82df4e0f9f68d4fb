"""One array in a .npy file, and the one reader of such: sizes are believed before they are allocated, objects never.

An array of Python objects is a pickle, which runs code when it is loaded: it is refused.
"""

from __future__ import annotations

import math
import tokenize
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np

from tinyedge.data.arrays import TEXTS, recordings_of
from tinyedge.data.contract import Recordings
from tinyedge.data.table import DataTable
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

MAGIC = b"\x93NUMPY"
MOST_BYTES = 1 << 30
"""of all arrays of a file"""
_LAST_LETTER = 0x10FFFF
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_array(stream: IO[bytes], size: int, called: str, *, may_be_text: bool = False) -> Array:
    """The array in a stream of `size` bytes. Raises: UsageError."""
    try:
        version = np.lib.format.read_magic(stream)
        shape, fortran, dtype = _HEADERS.get(version, np.lib.format.read_array_header_2_0)(stream)
    except (ValueError, EOFError, OSError, SyntaxError, TypeError, tokenize.TokenError) as error:
        raise _damaged(called, error) from error
    if dtype.hasobject:
        raise UsageError(
            f"{called} holds Python objects: they are pickled, and loading a pickle runs what is in it",
            hint="save arrays of numbers, of one shape: `numpy.save(file, numpy.stack(rows))`",
        )
    if dtype.kind not in ("iufbU" if may_be_text else "iufb"):
        raise UsageError(f"{called} is {dtype}, not numbers", hint="save numbers: floats, integers or booleans")
    expected = math.prod(shape) * dtype.itemsize
    if expected > MOST_BYTES:
        raise UsageError(f"{called} takes {expected:,} B; at most {MOST_BYTES:,} B are read", hint="give fewer samples")
    if expected > size:
        raise _damaged(called, f"it should hold {expected:,} B, the file has {size:,} B")
    try:
        raw = stream.read(expected)
    except (OSError, EOFError, ValueError) as error:
        raise _damaged(called, error) from error
    if len(raw) != expected:
        raise _damaged(called, f"it ends after {len(raw):,} of {expected:,} B")
    if dtype.kind == "U" and (np.frombuffer(raw, np.dtype("u4").newbyteorder(dtype.byteorder)) > _LAST_LETTER).any():
        raise _damaged(called, "it holds numbers that are no letters")
    array: Array = np.frombuffer(raw, dtype).reshape(shape, order="F" if fortran else "C")
    return array


def _damaged(called: str, reason: object) -> UsageError:
    told = str(reason).splitlines()
    return UsageError(
        f"{called} is damaged: {told[0] if told else repr(reason)}", hint="write it again with numpy.save"
    )


def read_file(path: Path) -> dict[str, Array]:
    """The array of a file, by the file's name. Raises: UsageError."""
    with path.open("rb") as stream:
        return {path.stem: read_array(stream, path.stat().st_size, f"`{path}`", may_be_text=path.stem in TEXTS)}


class _Npy:
    title = "a .npy"
    layout = "one array of samples"
    split = ""
    is_general = False

    def recognizes(self, path: Path, head: bytes, names: Sequence[str]) -> bool:
        return head.startswith(MAGIC)

    def read(self, path: Path, table: DataTable) -> Recordings:
        return recordings_of(read_file(path), path, table)


FORMAT = _Npy()
