"""What hangs on the numbers of a layer and not on its window: found once, for the layer and for some of its rows."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

P = TypeVar("P")
R = TypeVar("R")


class _Numbers(Generic[P]):
    """Parameters as a key: equal to others of the same numbers and arrays, whatever their window.

    Arrays are equal where they are one object; the key keeps them.
    """

    def __init__(self, params: P) -> None:
        self.params = params
        members = ((name, value) for name, value in vars(params).items() if name != "window")
        self._key = tuple((name, id(value) if isinstance(value, np.ndarray) else value) for name, value in members)

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Numbers) and self._key == other._key and type(self.params) is type(other.params)


def by_numbers(function: Callable[[P], R]) -> Callable[[P], R]:
    """Remember what a function, which does not look at the window, makes of parameters."""

    @functools.lru_cache(maxsize=256)
    def remembered(numbers: _Numbers[P]) -> R:
        return function(numbers.params)

    @functools.wraps(function)
    def found(params: P) -> R:
        return remembered(_Numbers(params))

    return found
