"""What an augmentation technique is to a recipe and to the training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Stage = Literal["signal", "features"]
"""signal: what a sensor gave; features: what the model takes. They are one where data.py gives no `features`"""
_BLOCK_VALUES = 16_384


class Augmentation(Protocol):
    """A frozen dataclass of settings (its fields are the keys of [[augment]]) that changes samples."""

    name: ClassVar[str]
    """what recipes call it"""
    stage: ClassVar[Stage]
    """what it changes"""
    moves: ClassVar[bool]
    """whether values come to other places: targets of places would have to follow"""

    def check(self, shape: tuple[int, ...]) -> None:
        """Raises: ValueError when samples of this shape cannot be changed so."""
        ...

    def apply(self, samples: Array, random: np.random.Generator) -> Array:
        """Changed samples, float32 of the same shape [N, *shape]; `samples` stay as they are."""
        ...


def check_axes(axes: Sequence[int], shape: tuple[int, ...]) -> None:
    """Raises: ValueError for an axis that samples of this shape do not have."""
    for axis in axes:
        if not 0 <= axis < len(shape):
            raise ValueError(f"axis {axis} is none of a sample {list(shape)}: they are 0 to {len(shape) - 1}")


def check_channels(channels: Sequence[int], shape: tuple[int, ...]) -> None:
    """Raises: ValueError for a channel, of the last axis, that samples of this shape do not have."""
    for channel in channels:
        if not 0 <= channel < shape[-1]:
            raise ValueError(f"channel {channel} is none of a sample {list(shape)}: they are 0 to {shape[-1] - 1}")


def per_sample(values: Array, samples: Array) -> Array:
    """Values [N] in the shape in which they meet samples [N, ...]."""
    return values.reshape(len(values), *(1 for _ in samples.shape[1:])).astype(np.float32)


def blocks(samples: Array) -> Iterator[slice]:
    """Some samples after another, as many as stay in a processor's cache while they are changed.

    >>> list(blocks(np.zeros((3, 20_000))))
    [slice(0, 1, None), slice(1, 2, None), slice(2, 3, None)]
    """
    step = max(1, _BLOCK_VALUES // max(1, math.prod(samples.shape[1:])))
    return (slice(start, start + step) for start in range(0, len(samples), step))
