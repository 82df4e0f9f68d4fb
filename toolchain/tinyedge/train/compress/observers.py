"""Which range of its values an activation is rounded in: rare large ones may be worth less than finer steps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Observer = Callable[[npt.NDArray[np.float32]], tuple[float, float]]
"""the values of an activation -> the lowest and the highest that it can still say"""

_LEVELS = 255
_SHARES = np.linspace(1.0, 0.25, 31)
"""of the whole range, that are tried"""
_MOST_VALUES = 50_000


def min_max(values: npt.NDArray[np.float32]) -> tuple[float, float]:
    """The whole range."""
    return float(values.min()), float(values.max())


def percentile(share: float) -> Observer:
    """The range that leaves out the smallest and the largest values.

    share  of the values, in percent, that lie within either end

    >>> percentile(90)(np.arange(11, dtype=np.float32))
    (1.0, 9.0)
    """

    def observe(values: npt.NDArray[np.float32]) -> tuple[float, float]:
        low, high = np.percentile(values, [100 - share, share])
        return float(low), float(high)

    return observe


def least_squares(values: npt.NDArray[np.float32]) -> tuple[float, float]:
    """The range, a share of the whole one, in which rounding to int8 leaves the smallest mean squared error.

    >>> low, high = least_squares(np.concatenate([np.linspace(0, 1, 99_999), [1.2]]).astype(np.float32))
    >>> low, round(high, 3)
    (0.0, 1.02)
    """
    flat = values.ravel()
    flat = flat[:: max(1, len(flat) // _MOST_VALUES)]
    low, high = min_max(values)
    low, high = min(low, 0.0), max(high, 0.0)
    if low == high:
        return low, high
    return min(((low * share, high * share) for share in _SHARES.tolist()), key=lambda ends: _error(flat, *ends))


def _error(values: npt.NDArray[np.float32], low: float, high: float) -> float:
    step = (high - low) / _LEVELS
    rounded = np.round((np.clip(values, low, high) - low) / step) * step + low
    return float(np.square(rounded - values).mean())
