"""quantize and dequantize: between int8, int16 and int32 quantizations, and at float borders."""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.graph.ir import DType


@dataclass(frozen=True)
class Requantize:
    """quantize from one integer quantization to another."""

    elements: int
    input_dtype: DType
    output_dtype: DType
    input_zero_point: int
    output_zero_point: int
    multiplier: int
    shift: int


@dataclass(frozen=True)
class FloatBorder:
    """quantize from float32, or dequantize to float32, at the border of the model."""

    elements: int
    input_dtype: DType
    output_dtype: DType
    scale: float
    zero_point: int
