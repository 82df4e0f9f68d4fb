"""depthwise_conv_2d with filters of 3x3 through te_depthwise_conv_2d_3x3: channel by channel, all taps in registers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyedge.arithmetic.window import Window
from tinyedge.boards import Core
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import params_struct
from tinyedge.kernels.common.pace import by_isa
from tinyedge.kernels.common.short_requantize import short_constants, short_members, short_reason
from tinyedge.kernels.contract import Code, Constant, Cost, ExactOffset, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D

STEM = "te_depthwise_conv_2d_3x3"
LAYER_CODE_BYTES = 24
PARAMS_BYTES = 52
TAPS = 9


@dataclass(frozen=True)
class Rates:
    """Cycles of the parts of a layer on a core, as the timing models count zig's code, and the bytes of that code."""

    code_bytes: int
    output: float
    line: float
    copied_row: float
    copied_byte: float
    channel: float
    cleared_byte: float


@dataclass(frozen=True)
class Plane:
    """A channel with its border: rows of `pitch` bytes."""

    pitch: int
    rows: int

    @property
    def bytes(self) -> int:
        return self.pitch * self.rows


def find_plane(window: Window) -> Plane:
    """What windows see, and all of the input."""
    w = window
    return Plane(
        pitch=max((w.output_w - 1) * w.stride_w + 3, w.pad_left + w.input_w),
        rows=max((w.output_h - 1) * w.stride_h + 3, w.pad_top + w.input_h),
    )


class DepthwiseConv2D3x3(Kernel):
    """int8 depthwise convolutions by 3x3, any stride and padding, without dilation, with a depth multiplier of 1.

    Not for cores with DSP extension: there it is never the better choice, and would only lengthen the search for that.
    """

    name = "portable/depthwise_conv_2d_3x3"
    operators: ClassVar[tuple[str, ...]] = ("depthwise_conv_2d",)
    rates = by_isa(
        armv6m=Rates(460, 146.5, 12.0, 22.1, 8.3, 194.3, 2.4),
        armv7m=Rates(468, 84.4, 8.9, 19.3, 7.5, 124.9, 1.6),
        dsp=Rates(476, 78.4, 8.0, 19.2, 7.5, 125.8, 1.6),
        rv32=Rates(584, 67.3, 18.6, 18.6, 9.6, 130.7, 2.4),
    )

    def fits(self, layer: Layer, core: Core) -> str:
        p: DepthwiseConv2D = layer.params
        w, plane = p.window, find_plane(p.window)
        if core.has_dsp:
            return "the core has DSP instructions, with which others take half the cycles and as few bytes"
        if (w.kernel_h, w.kernel_w) != (3, 3) or w.dilation_h > 1 or w.dilation_w > 1:
            return "the filters are not 3x3 without dilation"
        if p.depth_multiplier != 1:
            return f"the depth multiplier is {p.depth_multiplier}, the kernel takes 1"
        sizes = (plane.bytes, w.stride_h * plane.pitch, p.input_channels)
        return (
            checks.int8_tensors(layer)
            or checks.one_image(layer, w.input_h * w.input_w * p.input_channels)
            or checks.window_sizes(w)
            or checks.sizes(sizes)
            or short_reason(p)
        )

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: DepthwiseConv2D = layer.params
        w, rate = p.window, self.rates[core.isa]
        channel = rate.channel + w.output_h * (rate.line + w.output_w * rate.output)
        channel += w.input_h * (rate.copied_row + w.input_w * rate.copied_byte)
        cycles = p.output_channels * channel + rate.cleared_byte * find_plane(w).bytes
        constants = (TAPS + 9) * p.output_channels + PARAMS_BYTES
        return Cost(int(cycles), LAYER_CODE_BYTES, constants, ((STEM, rate.code_bytes),))

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return find_plane(layer.params.window).bytes

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """A channel's outputs may lie on that channel's inputs, but not on another's."""
        return ExactOffset(0)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: DepthwiseConv2D = layer.params
        prefix = operands.prefix
        weights = np.ascontiguousarray(p.weights.transpose(2, 0, 1), np.int8).reshape(-1)
        comment = f"weights {p.output_channels}x3x3: channel, row, column"
        return Code(
            call=(f"{STEM}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]}, {operands.scratch});",),
            constants=(Constant(f"{prefix}_weights", "int8_t", weights, 4, comment), *short_constants(prefix, p)),
            functions=_params_text(p, prefix),
            runtime=(STEM,),
        )


def _params_text(params: DepthwiseConv2D, prefix: str) -> str:
    w, plane = params.window, find_plane(params.window)
    return params_struct(
        "te_depthwise_3x3_params",
        f"{prefix}_params",
        {
            "input_h": w.input_h,
            "input_w": w.input_w,
            "output_h": w.output_h,
            "output_w": w.output_w,
            "channels": params.output_channels,
            "stride_w": w.stride_w,
            "pitch": plane.pitch,
            "row_step": w.stride_h * plane.pitch,
            "plane_bytes": plane.bytes,
            "plane_begin": w.pad_top * plane.pitch + w.pad_left,
            "weights": f"{prefix}_weights",
            "input_zero_point": params.input_zero_point,
            **short_members(prefix, params),
        },
    )


KERNELS: tuple[Kernel, ...] = (DepthwiseConv2D3x3(),)
