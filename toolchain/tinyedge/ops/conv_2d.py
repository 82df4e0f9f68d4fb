"""conv_2d: 2-D convolution, int8, weights quantized per output channel (or per tensor)."""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.ops.contract import Array
from tinyedge.ops.window import Window


@dataclass(frozen=True, eq=False)
class Conv2D:
    """Parameters of one convolution.

    Shape:  weights int8 [OC, KH, KW, IC / groups] (int4 unpacked to int8); bias int32 (int64 with int16 activations) [OC], zeros if absent;
            multiplier int32 [OC], shift int32 [OC] (positive: left), always expanded to one entry per channel
    """

    window: Window
    input_channels: int
    output_channels: int
    groups: int
    input_zero_point: int
    output_zero_point: int
    weights: Array
    weight_bits: int
    """8 or 4: how the file stores them"""
    bias: Array
    multiplier: Array
    shift: Array
    activation_min: int
    activation_max: int
    """clamp, in quantized units, with the fused activation applied"""
