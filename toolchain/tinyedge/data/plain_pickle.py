"""A pickle of plain containers, text, numbers and numpy arrays: anything else in it is refused before it is made.

A pickle names the functions that rebuild what it holds, and loading one calls them. Here a name that is none of the
few that arrays of numbers need ends the reading, and those few are stand-ins that can make nothing but such arrays.
"""

from __future__ import annotations

import io
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.errors import UsageError

_MOST_BYTES = 1 << 30
_MOST_DEPTH = 8
_MOST_VALUES = 1_000_000
"""containers may stand in several places: what a small file unfolds to is counted"""


class _Dtype:
    """What numpy.dtype stands for in a pickle: a kind and a size."""

    def __init__(self, kind: object = "", *_ignored: object) -> None:
        self.kind = kind
        self.order = "|"

    def __setstate__(self, state: object) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else ""
        if isinstance(order, bytes):  # what Python 2 wrote
            order = order.decode("ascii", "replace")
        if order in ("<", ">", "=", "|"):
            self.order = str(order)

    def numpy(self) -> np.dtype[Any]:
        kind = self.kind.decode("ascii", "replace") if isinstance(self.kind, bytes) else str(self.kind)
        if len(kind) > 4 or kind[:1] not in "iufb" or not kind[1:].isdigit():
            raise pickle.UnpicklingError(f"an array of `{kind[:20]}`")
        return np.dtype(self.order.replace("|", "=") + kind)


class _Array:
    """What numpy.ndarray stands for: shape, kind and bytes, made an array when all of them are checked."""

    def __init__(self, *_ignored: object) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple):
            raise pickle.UnpicklingError("an array without its state")
        self.state = state

    def numpy(self) -> Any:
        if len(self.state) != 5:
            raise pickle.UnpicklingError("an array without its state")
        _, shape, dtype, fortran, data = self.state
        if isinstance(data, str):
            data = data.encode("latin-1")
        if not (isinstance(dtype, _Dtype) and isinstance(data, bytes) and isinstance(shape, tuple)):
            raise pickle.UnpicklingError("an array that is not plain")
        if not all(isinstance(size, int) and size >= 0 for size in shape):
            raise pickle.UnpicklingError("an array of no shape")
        kind = dtype.numpy()
        if math.prod(shape) * kind.itemsize != len(data):
            raise pickle.UnpicklingError("an array whose bytes are not as many as its shape says")
        return np.frombuffer(data, kind).reshape(shape, order="F" if fortran else "C")


def _from_buffer(data: object, dtype: object, shape: object, order: object) -> _Array:
    """What `_frombuffer` stands for, with which arrays are kept by protocol 5."""
    found = _Array()
    found.__setstate__((1, shape, dtype, order == "F", bytes(data) if isinstance(data, bytearray) else data))
    return found


def _encode(text: object, _encoding: object = "latin-1") -> bytes:
    """What `_codecs.encode` stands for: text whose characters are bytes."""
    if not isinstance(text, str):
        raise pickle.UnpicklingError("bytes that are none")
    return text.encode("latin-1")


_NAMES: dict[tuple[str, str], Any] = {
    ("_codecs", "encode"): _encode,
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Array,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _Array for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
}
"""everything that a pickle may call"""


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(f"it would run `{module[:40]}.{name[:40]}`")
        return _NAMES[module, name]

    def persistent_load(self, _pid: object) -> Any:
        raise pickle.UnpicklingError("it refers to something outside of it")


def read_plain_pickle(path: Path) -> Any:
    """What a pickle holds, bytes for the text of Python 2.

    Raises: UsageError when it holds anything but containers, text, numbers and arrays of them, or is damaged
    """
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise UsageError(f"`{path}` has {size:,} B; at most {_MOST_BYTES:,} B are read")
    try:
        return _Unfolded().plain(_Reader(io.BytesIO(path.read_bytes()), encoding="bytes").load(), _MOST_DEPTH)
    except Exception as error:  # a damaged pickle raises whatever its opcodes meet
        told = str(error).splitlines()
        raise UsageError(
            f"`{path}` is a pickle that holds more than arrays, or is damaged: {told[0] if told else repr(error)}; "
            "nothing of it was run",
            hint="save the arrays as .npz: `numpy.savez(file, x=samples, labels=labels)`",
        ) from error


class _Unfolded:
    """Values with arrays for their stand-ins, counted."""

    def __init__(self) -> None:
        self._count = 0

    def plain(self, value: Any, depth: int) -> Any:
        """Raises: UnpicklingError for what is not plain, nested too deeply, or too much."""
        self._count += 1
        if depth < 0 or self._count > _MOST_VALUES:
            raise pickle.UnpicklingError("containers in containers without end")
        if isinstance(value, _Array):
            return value.numpy()
        if isinstance(value, dict):
            return {self.plain(key, depth - 1): self.plain(inner, depth - 1) for key, inner in value.items()}
        if isinstance(value, list):
            return [self.plain(inner, depth - 1) for inner in value]
        if isinstance(value, tuple):
            return tuple(self.plain(inner, depth - 1) for inner in value)
        if value is None or isinstance(value, bool | int | float | bytes | str):
            return value
        raise pickle.UnpicklingError(f"a {type(value).__name__}")
