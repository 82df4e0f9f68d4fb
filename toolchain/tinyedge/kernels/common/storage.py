"""How weights can be stored in fewer bytes than one each, by their values alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

MOST_VALUES = 16
"""different weights of a tensor that indices can name"""
NO_SMALLER = "no less than the"
"""in the reason why leaving out zeros gains nothing"""


def range_reason(weights: npt.NDArray[Any], bits: int) -> str:
    """Why weights have no room in so many bits; empty when they have.

    >>> import numpy as np
    >>> range_reason(np.array([-8, 7], np.int8), 4), range_reason(np.array([0, 9], np.int8), 4)
    ('', 'weights reach from 0 to 9, beyond 4 bits')
    """
    low, high = int(weights.min(initial=0)), int(weights.max(initial=0))
    limit = 1 << (bits - 1)
    return f"weights reach from {low} to {high}, beyond {bits} bits" if low < -limit or high >= limit else ""


def find_values(weights: npt.NDArray[Any]) -> npt.NDArray[np.int8] | None:
    """The different weights of a tensor, filled up with 0 to 4, 8 or 16; None where there are more.

    >>> import numpy as np
    >>> find_values(np.array([3, -1, 3, 7, 9, 3], np.int8)).tolist()
    [-1, 3, 7, 9]
    """
    values = np.unique(weights)
    if len(values) > MOST_VALUES:
        return None
    size = next(size for size in (4, 8, MOST_VALUES) if len(values) <= size)
    return np.asarray(np.pad(values, (0, size - len(values))), np.int8)


def values_reason(weights: npt.NDArray[Any]) -> str:
    """Why indices of values cannot name the weights; empty when they can."""
    count = len(np.unique(weights))
    return f"the weights have {count} different values, more than {MOST_VALUES}" if count > MOST_VALUES else ""


def value_bits(values: npt.NDArray[np.int8]) -> int:
    """Of an index."""
    return (len(values) - 1).bit_length()


def value_indices(weights: npt.NDArray[Any], values: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    """Where each weight is among the values. The values are those of `find_values`, for weights that it was given."""
    table = np.zeros(256, np.int64)
    table[values[::-1].view(np.uint8)] = np.arange(len(values))[::-1]
    return np.asarray(table[weights.astype(np.int8).view(np.uint8)], np.int64)


def zeros_reason(weights: npt.NDArray[Any], stored_bytes: int, form: str) -> str:
    """Why leaving out zeros gains nothing; empty when it makes the weights smaller."""
    if stored_bytes < weights.size:
        return ""
    zeros = 100 * float(np.mean(weights == 0))
    return (
        f"{zeros:.0f} % of the weights are 0: {form} would take {stored_bytes:,} B, {NO_SMALLER} "
        f"{weights.size:,} B that they take as they are"
    )
