"""mean over some axes, int8; the output may have a quantization of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mean:
    """Parameters: `shape` of the input (rank as in the file), `axes` sorted and non-negative, and the requantization
    that TensorFlow Lite Micro folds the element count into."""

    shape: tuple[int, ...]
    axes: tuple[int, ...]
    keep_dims: bool
    input_zero_point: int
    output_zero_point: int
    multiplier: int
    shift: int
