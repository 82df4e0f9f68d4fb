"""One array in a .npy file, and the one reader of such: sizes are believed before they are allocated, objects never.

An array of Python objects is a pickle, which runs code when it is loaded: it is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import IO

import numpy as np

from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

MAGIC = b"\x93NUMPY"
MOST_BYTES = 1 << 30
"""of all arrays of a file"""
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_array(stream: IO[bytes], size: int, called: str) -> Array:
    """The array in a stream of `size` bytes. Raises: UsageError."""
    try:
        version = np.lib.format.read_magic(stream)
        shape, fortran, dtype = _HEADERS.get(version, np.lib.format.read_array_header_2_0)(stream)
    except (ValueError, EOFError, OSError, SyntaxError, TypeError) as error:
        raise _damaged(called, error) from error
    if dtype.hasobject:
        raise UsageError(
            f"{called} holds Python objects: they are pickled, and loading a pickle runs what is in it",
            hint="save arrays of numbers, of one shape: `numpy.save(file, numpy.stack(rows))`",
        )
    if dtype.kind not in "iufb":
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
    array: Array = np.frombuffer(raw, dtype).reshape(shape, order="F" if fortran else "C")
    return array


def _damaged(called: str, reason: object) -> UsageError:
    told = str(reason).splitlines()
    return UsageError(f"{called} is damaged: {told[0] if told else reason!r}", hint="write it again with numpy.save")


class _Npy:
    title = "a .npy"

    def recognizes(self, path: Path, head: bytes) -> bool:
        return head.startswith(MAGIC)

    def read(self, path: Path) -> Mapping[str, Array]:
        with path.open("rb") as stream:
            return {path.stem: read_array(stream, path.stat().st_size, f"`{path}`")}


FORMAT = _Npy()
