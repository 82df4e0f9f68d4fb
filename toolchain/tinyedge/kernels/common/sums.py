"""What the sums of a layer with weights can be: the range in which its requantization has to be right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Sums:
    """What the sums of each channel can be, bias included, for any input. Shapes: [channels]."""

    low: Int64Array
    high: Int64Array

    @property
    def largest(self) -> int:
        """The largest magnitude."""
        return int(max(np.abs(self.low).max(), np.abs(self.high).max()))


def find_sums(weights: npt.NDArray[Any], bias: npt.NDArray[Any]) -> Sums:
    """The ends of each channel's sum of weights * raw int8 inputs + bias. Shape: weights [channels, ...]."""
    flat = weights.reshape(len(weights), -1).astype(np.int64)
    up, down = np.maximum(flat, 0).sum(axis=1), np.minimum(flat, 0).sum(axis=1)
    start = bias.astype(np.int64)
    return Sums(start - 128 * up + 127 * down, start + 127 * up - 128 * down)
