"""Data brought to the inputs of a source: by name, else in order, and of its shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.data import Arrays
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

_WHOLE_KINDS = "iub"


@dataclass(frozen=True)
class Wanted:
    """One input of a source: `shape` without the batch, None where an extent is open."""

    name: str
    shape: tuple[int | None, ...]
    dtype: str = "float32"


def match_inputs(data: Arrays, wanted: Sequence[Wanted]) -> tuple[Array, ...]:
    """One array [N, *shape] for each input, in their order and of their types.

    Axes of one element may be there or not. Arrays that are called as the inputs are go by name; else all in order.

    Raises: UsageError with both shapes when the data does not fit
    """
    if len(data.inputs) != len(wanted):
        given = ", ".join(f"`{name}` {list(array.shape)}" for name, array in data.inputs.items())
        told = ", ".join(f"`{entry.name}` {_shown(entry.shape)}" for entry in wanted)
        raise UsageError(
            f"the model has {_count(wanted)}, {told}; the data has {len(data.inputs)}: {given}",
            hint="give one array for each input, called as the input is or in their order; `labels` is for the labels",
        )
    by_name = all(entry.name in data.inputs for entry in wanted)
    arrays = [data.inputs[entry.name] for entry in wanted] if by_name else list(data.inputs.values())
    return tuple(_fitted(array, entry) for array, entry in zip(arrays, wanted, strict=True))


def _count(wanted: Sequence[Wanted]) -> str:
    return "1 input" if len(wanted) == 1 else f"{len(wanted)} inputs"


def _fitted(array: Array, wanted: Wanted) -> Array:
    shape = _shape(array, wanted)
    if shape is None:
        raise UsageError(
            f"the data is {array.dtype} {list(array.shape)}, input `{wanted.name}` takes {_shown(wanted.shape)}",
            hint=_hint(array, wanted),
        )
    if np.dtype(wanted.dtype).kind in _WHOLE_KINDS:
        if array.dtype.kind not in _WHOLE_KINDS and not np.array_equal(array, np.rint(array)):
            raise UsageError(f"the data has fractions, input `{wanted.name}` takes {wanted.dtype}", hint="round it")
        return array.astype(wanted.dtype).reshape(len(array), *shape)
    return array.astype(np.float32).reshape(len(array), *shape)


def _shape(array: Array, wanted: Wanted) -> tuple[int, ...] | None:
    """The shape of a sample as the input takes it; None when the data has another."""
    given = array.shape[1:]
    if len(given) == len(wanted.shape) and all(
        extent in (None, own) for extent, own in zip(wanted.shape, given, strict=True)
    ):
        return given
    if None in wanted.shape:
        return None
    fixed = tuple(extent or 0 for extent in wanted.shape)
    return fixed if _plain(given) == _plain(fixed) else None


def _plain(shape: Sequence[int]) -> list[int]:
    return [extent for extent in shape if extent != 1]


def _shown(shape: Sequence[int | None]) -> str:
    return f"[{', '.join(['N', *('any' if extent is None else str(extent) for extent in shape)])}]"


def _hint(array: Array, wanted: Wanted) -> str:
    given, fixed = array.shape[1:], [extent or 0 for extent in wanted.shape]
    if len(given) == len(fixed) == 3 and sorted(given) == sorted(fixed):
        order = [int(axis) + 1 for axis in _axes(given, fixed)]
        return f"the axes stand in another order: `x.transpose({', '.join(map(str, [0, *order]))})`"
    if given and math.prod(given) == math.prod(fixed):
        return f"`x.reshape(-1, {', '.join(map(str, fixed))})`, if its values stand in that order"
    return "give samples of the shape that the model was trained on, [N, ...]"


def _axes(given: Sequence[int], wanted: Sequence[int]) -> list[int]:
    """A permutation of `given` that makes `wanted`."""
    left = list(range(len(given)))
    axes = []
    for extent in wanted:
        axis = next(axis for axis in left if given[axis] == extent)
        left.remove(axis)
        axes.append(axis)
    return axes


def spread(total: int, count: int) -> Array:
    """`count` numbers below `total`, evenly spread; all when there are no more.

    >>> spread(10, 4).tolist(), spread(3, 4).tolist()
    ([0, 3, 6, 9], [0, 1, 2])
    """
    return np.linspace(0, total - 1, min(total, count)).astype(int)
