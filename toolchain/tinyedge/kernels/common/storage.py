"""How weights can be stored in fewer bytes than one each, by their values alone."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt


def range_reason(weights: npt.NDArray[Any], bits: int) -> str:
    """Why weights have no room in so many bits; empty when they have.

    >>> import numpy as np
    >>> range_reason(np.array([-8, 7], np.int8), 4), range_reason(np.array([0, 9], np.int8), 4)
    ('', 'weights reach from 0 to 9, beyond 4 bits')
    """
    low, high = int(weights.min(initial=0)), int(weights.max(initial=0))
    limit = 1 << (bits - 1)
    return f"weights reach from {low} to {high}, beyond {bits} bits" if low < -limit or high >= limit else ""
