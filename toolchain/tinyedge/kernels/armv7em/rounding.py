"""What may be requantized by `asm.requantize`, and the constants it takes, for layers with a scale per channel."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.common import checks
from tinyedge.kernels.thumb.assembly import doubled_multiplier, negated_divisor
from tinyedge.ops.contract import Layer

Int64Array = npt.NDArray[np.int64]

NOTHING = (1 << 30, -1)
"""multiplier and shift that bring an accumulator of 0 to the zero point"""


def runs_on(layer: Layer, core: Core) -> str:
    """Empty when the core has the DSP instructions and all tensors are int8, otherwise what is in the way."""
    if not core.has_dsp:
        return f"`{core.name}` has no DSP instructions"
    return checks.int8_tensors(layer)


def shifts_right(multiplier: npt.NDArray[Any], shift: npt.NDArray[Any]) -> str:
    """Empty when every channel is scaled by a multiplier of 2**30 or more and a shift to the right, or by nothing."""
    scaled = multiplier != 0
    if np.any(scaled & (shift >= 0)):
        return f"a channel is shifted left by {int(shift[scaled].max())}, the kernel shifts to the right"
    if np.any(scaled & (multiplier < 1 << 30)):
        return f"a multiplier is {int(multiplier[scaled].min()):,}, the kernel takes those from 2**30"
    return ""


def scale_words(multiplier: int, shift: int) -> tuple[int, int]:
    """The two factors of `asm.requantize` for a channel; one that is scaled by 0 must have sums of 0."""
    if multiplier == 0:
        multiplier, shift = NOTHING
    return doubled_multiplier(multiplier), negated_divisor(-shift)


def words(values: npt.NDArray[Any] | list[int]) -> npt.NDArray[np.uint32]:
    """Integers, taken modulo 2**32, as the words of a constant."""
    return (np.asarray(values, np.int64) & 0xFFFFFFFF).astype(np.uint32)


def halfwords(low: npt.NDArray[Any], high: npt.NDArray[Any]) -> Int64Array:
    """Words of two int16 each.

    >>> [hex(word) for word in halfwords(np.array([1, -1]), np.array([-2, 3]))]
    ['0xfffe0001', '0x3ffff']
    """
    packed: Int64Array = (np.asarray(low, np.int64) & 0xFFFF) | (np.asarray(high, np.int64) & 0xFFFF) << 16
    return packed
