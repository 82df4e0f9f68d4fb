"""add: element-wise sum of two int8 tensors, TFLite's 20-bit left shift."""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.ops.contract import Array


@dataclass(frozen=True, eq=False)
class Add:
    """Parameters. Shapes are those of the file; `shape1`/`shape2` broadcast to `output_shape`.

    constant2  the second operand when it is a constant (then Layer.inputs has one tensor), else None
    """

    shape1: tuple[int, ...]
    shape2: tuple[int, ...]
    output_shape: tuple[int, ...]
    constant2: Array | None
    left_shift: int
    input1_zero_point: int
    input1_multiplier: int
    input1_shift: int
    input2_zero_point: int
    input2_multiplier: int
    input2_shift: int
    output_zero_point: int
    output_multiplier: int
    output_shift: int
    activation_min: int
    activation_max: int
