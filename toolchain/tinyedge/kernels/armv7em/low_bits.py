"""Four channels of int4 in one 16-bit half of a word: see `conv_4x2_unpack` for what the functions make of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]

LAST_SUM_LIMIT = 1 << 19
"""sums of the fourth channel are below that in magnitude, since they come 4096-fold"""


def mixing_reason(second: npt.NDArray[Any], third: npt.NDArray[Any]) -> str:
    """Why weights of the second and third of four channels have no room side by side; empty when they have."""
    crowded = (third == -8) & (second < 0)
    return "a weight of -8 shares a word with a negative one" if crowded.any() else ""


def mix_int4(a: Int64Array, b: Int64Array, c: Int64Array, d: Int64Array) -> Int64Array:
    """The halves, 16 bits each.

    >>> hex(int(mix_int4(*np.array([[1], [-1], [2], [-3]]))[0]))
    '0xd9f9'
    """
    return np.asarray((4096 * d + 256 * (c + 8) + 16 * b + a + 8) & 0xFFFF, np.int64)


def start_int4(a: Int64Array, b: Int64Array, c: Int64Array, d: Int64Array) -> tuple[Int64Array, ...]:
    """What the sums T1, T2, T3, T4 begin with, of four channels' biases."""
    second = a + 16 * b
    last = 4096 * d
    return second + last + 256 * c, second, a, last
