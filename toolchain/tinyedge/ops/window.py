"""The sliding window shared by convolutions and pooling: explicit sizes, strides, dilation and padding."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """Geometry of a 2-D sliding window; all sizes in elements, rows first.

    Padding is explicit: `pad_top` rows and `pad_left` columns lie outside the input before the first window;
    what the windows need beyond the bottom and right edges is outside too.
    """

    input_h: int
    input_w: int
    output_h: int
    output_w: int
    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int
    pad_top: int
    pad_left: int
