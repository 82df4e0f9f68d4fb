"""Where sums of two pixels in one word have to be taken apart, so that neither leaves its 16 bits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_LANE = 1 << 15


def cut(weights: npt.NDArray[np.int64], longest: int) -> list[int]:
    """Lengths of the runs of one channel's weights whose sums with any int8 inputs are in [-2**15, 2**15).

    >>> cut(np.array([127, 127, 1, 1, -1, -128]), 16)
    [4, 2]
    >>> cut(np.array([1, 1, 1, 1, 1]), 2)
    [2, 2, 1]
    """
    runs: list[int] = []
    length = above = below = 0  # the greatest sum, and the least one's magnitude
    for weight in weights.tolist():
        up, down = (127 * weight, 128 * weight) if weight > 0 else (-128 * weight, -127 * weight)
        if length == longest or above + up >= _LANE or below + down > _LANE:
            runs.append(length)
            length = above = below = 0
        length, above, below = length + 1, above + up, below + down
    return [*runs, length]
