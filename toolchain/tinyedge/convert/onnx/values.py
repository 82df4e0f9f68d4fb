"""What an importer knows of the values of an ONNX model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.graph.ir import Array, Quantization


@dataclass(frozen=True, eq=False)
class Value:
    """One value.

    shape         as ONNX has it
    index         its tensor; None for a constant that no operator has needed yet
    last          whether the tensor has the axis of channels, 1, behind all others
    flat_of       a value with its channels last that this is a reshape of: the tensor has the elements in that order
    data          of a constant, as ONNX has it
    quantization  scales of a constant that was dequantized, its axis as ONNX has it
    """

    shape: tuple[int, ...]
    index: int | None = None
    last: bool = False
    flat_of: Value | None = None
    data: Array | None = None
    quantization: Quantization | None = None

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def stored_shape(self) -> tuple[int, ...]:
        """The shape of the tensor."""
        return tuple(self.shape[axis] for axis in to_last(self.rank)) if self.last else self.shape

    def stored_axis(self, axis: int) -> int:
        """Where an axis of ONNX's lies in the tensor."""
        axis %= max(self.rank, 1)
        return to_last(self.rank).index(axis) if self.last else axis


def to_last(rank: int) -> list[int]:
    """The permutation that puts axis 1 behind all others.

    >>> to_last(4), to_first(4)
    ([0, 2, 3, 1], [0, 3, 1, 2])
    """
    return [0, *range(2, rank), 1]


def to_first(rank: int) -> list[int]:
    """The permutation that takes it back."""
    return [0, rank - 1, *range(1, rank - 1)]


def with_channels_last(data: Array) -> Array:
    return np.transpose(data, to_last(data.ndim))


def moves_nothing(shape: Sequence[int], order: Sequence[int]) -> bool:
    """Whether a transposition leaves every element where it is: axes of more than one element keep their order."""
    kept = [axis for axis in order if shape[axis] != 1]
    return kept == sorted(kept)
