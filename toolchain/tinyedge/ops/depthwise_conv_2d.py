"""depthwise_conv_2d: one filter per input channel and multiplier, int8, weights quantized per channel."""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.ops.contract import Array
from tinyedge.ops.window import Window


@dataclass(frozen=True, eq=False)
class DepthwiseConv2D:
    """Parameters of one depthwise convolution; output channel = input channel * depth_multiplier + m.

    Shape:  weights int8 [KH, KW, OC]; bias int32 [OC]; multiplier, shift int32 [OC]
    """

    window: Window
    input_channels: int
    output_channels: int
    depth_multiplier: int
    input_zero_point: int
    output_zero_point: int
    weights: Array
    weight_bits: int
    bias: Array
    multiplier: Array
    shift: Array
    activation_min: int
    activation_max: int
