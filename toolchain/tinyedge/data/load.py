"""From a path to samples and labels, whatever format they lie in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from tinyedge.data.contract import LABELS, Arrays, Format
from tinyedge.discovery import collect
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

_HEAD_BYTES = 64
_USERS = ("load",)
"""modules of this folder that look formats up"""
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
HINT = "give a .npz with `x` and `labels`, a .npy of samples, or a folder of .npy"


@cache
def _formats() -> tuple[Format, ...]:
    return tuple(collect("tinyedge.data", "FORMAT", skip=_USERS))


def load_data(path: Path) -> Arrays:
    """The samples and labels that a path holds, told by its content.

    An array called `labels` (or label, y, y_test, targets) has the labels of the first output; every other one is an
    input.

    Raises: UsageError when there is nothing, it is of no format known here, damaged, empty, or of several lengths
    """
    if not path.exists():
        raise UsageError(f"there is no data `{path}`", hint=HINT)
    head = b""
    if path.is_file():
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    if head.startswith(_PICKLES):
        raise UsageError(
            f"`{path}` is a pickle, which runs what is in it when it is loaded; it was not read", hint=HINT
        )
    for found in _formats():
        if found.recognizes(path, head):
            return _sorted(found.read(path), path)
    known = ", ".join(known.title for known in _formats())
    raise UsageError(f"`{path}` holds no data that tinyedge reads: {known}", hint=HINT)


def _sorted(arrays: Mapping[str, Array], path: Path) -> Arrays:
    named = [name for name in LABELS if name in arrays]
    if len(named) > 1:
        told = ", ".join(f"`{name}`" for name in named)
        raise UsageError(f"`{path}` has labels under several names: {told}", hint="keep one of them")
    inputs = {name: array for name, array in arrays.items() if name not in named}
    if not inputs:
        raise UsageError(f"`{path}` has labels and no samples", hint=HINT)
    for name, array in arrays.items():
        if array.ndim == 0 or len(array) == 0:
            raise UsageError(f"`{name}` of `{path}` is {list(array.shape)}, not [N, ...]", hint=HINT)
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise UsageError(f"`{name}` of `{path}` holds values that are not finite", hint="leave those samples out")
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"`{name}` {count:,}" for name, count in lengths.items())
        raise UsageError(f"the arrays of `{path}` differ in their number of samples: {told}", hint=HINT)
    return Arrays(inputs, arrays[named[0]] if named else None)
