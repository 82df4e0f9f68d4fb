"""softmax over the last axis, int8 in and out, in gemmlowp's fixed point."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Softmax:
    """Parameters: `rows` of `depth` values; beta * input scale as multiplier and left shift, and the smallest
    difference to the maximum that still counts (`diff_min`)."""

    rows: int
    depth: int
    input_multiplier: int
    input_left_shift: int
    diff_min: int
