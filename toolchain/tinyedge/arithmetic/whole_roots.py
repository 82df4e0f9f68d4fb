"""Roots and quotients of whole numbers, as te_integer_sqrt.h and the features compute them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def integer_sqrt(x: Array) -> Array:
    """The largest whole number whose square is at most x, below 2^62. int64 -> int64."""
    root: Array = np.sqrt(x.astype(np.float64)).astype(np.int64)
    root -= root * root > x
    root += (root + 1) * (root + 1) <= x
    return root


def rounded_quotient(dividend: Array, divisor: int) -> Array:
    """To the nearest whole number, ties away from zero. int64 -> int64."""
    found: Array = np.sign(dividend) * ((np.abs(dividend) + divisor // 2) // divisor)
    return found
