"""pad, padv2: a constant border around an int8 tensor of rank 4 or less."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pad:
    """Parameters, all of rank 4 (leading ones added): amounts before and after each axis, and the value."""

    input_shape: tuple[int, int, int, int]
    before: tuple[int, int, int, int]
    after: tuple[int, int, int, int]
    value: int
