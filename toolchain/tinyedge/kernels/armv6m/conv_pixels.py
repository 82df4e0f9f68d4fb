"""Convolutions on Cortex-M0+, a few output pixels at a time: geometry, panel, and the C that drives both kernels.

A word holds two pixels, x0 + x1 * 2**16, so that one MULS with a weight gives two products:

    sum of w * (x0 + x1 * 2**16)  =  (sum of w * x0) + (sum of w * x1) * 2**16

exact modulo 2**32, and both sums can be told apart while each fits 16 bits. The windows of two or four consecutive
pixels are gathered in a panel of such words, once for all output channels.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv6m.asm import Assembly, core_reason
from tinyedge.kernels.armv6m.requantize import Line, Scale, find_line
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.common.filters import folded_bias
from tinyedge.kernels.common.numbers import by_numbers
from tinyedge.kernels.common.overlap import NEVER, least_offset, lowest_cells, lowest_from
from tinyedge.kernels.common.row_ring import reaches_outside
from tinyedge.kernels.common.sums import Sums, find_sums
from tinyedge.kernels.contract import AsmFunction, Offsets
from tinyedge.kernels.thumb.assembly import Ticks
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D

STEM = "te_conv_2d_pixels"
DRIVER_BYTES = 560
PARAMS_BYTES = 56
LAYER_CODE_BYTES = 20

# The driver, compiled at -O2.
_DRIVER_CALL = 150
_DRIVER_GROUP = 90
_DRIVER_PIXEL = 45
_DRIVER_SEGMENT = 40
_DRIVER_SEGMENT_PIXEL = 24
_RING_ROW = 70
_RING_BYTE = 1.0


GROUP = Offsets(
    "te_conv_2d_group",
    {"panel": 0, "scales": 4, "channels": 8, "outputs": 12, "weights": 28},
    header="te_conv_2d_pixels.h",
)
"""what the function that computes a group finds its way by"""


@dataclass(frozen=True)
class Layout:
    """How te_conv_2d_pixels goes through a layer.

    at_once    pixels of a group: 2 or 4
    segments   runs of bytes of a window, `segment_bytes` each, `segments_per_row` of them in each of its rows
    ring_rows  rows of input kept with their border, so many that a group that goes round the end of a row finds all
               its windows; 0: the input is read in place
    """

    at_once: int
    pixels: int
    segments_per_row: int
    segments: int
    segment_bytes: int
    ring_rows: int
    ring_pitch: int

    @property
    def taps(self) -> int:
        return self.segments * self.segment_bytes

    @property
    def groups(self) -> int:
        return -(-self.pixels // self.at_once)

    @property
    def panel_bytes(self) -> int:
        return 2 * self.at_once * self.taps

    @property
    def scratch_bytes(self) -> int:
        return self.panel_bytes + self.ring_rows * self.ring_pitch


def find_layout(params: Conv2D, at_once: int) -> Layout:
    w, channels = params.window, params.input_channels
    dilated = w.dilation_w > 1 and w.kernel_w > 1
    segments_per_row = w.kernel_w if dilated else 1
    one_run = not dilated and w.dilation_h == 1 and w.kernel_w == w.input_w and not reaches_outside(w)
    ring = reaches_outside(w)
    reach = (w.output_w - 1) * w.stride_w + (w.kernel_w - 1) * w.dilation_w + 1
    rounds = 0 if w.output_w % at_once == 0 else -(-(at_once - 1) // w.output_w)
    rounds = min(rounds, w.output_h - 1)
    return Layout(
        at_once=at_once,
        pixels=w.output_h * w.output_w,
        segments_per_row=segments_per_row,
        segments=1 if one_run else segments_per_row * w.kernel_h,
        segment_bytes=(channels if dilated else w.kernel_w * channels) * (w.kernel_h if one_run else 1),
        ring_rows=(w.kernel_h - 1) * w.dilation_h + 1 + rounds * w.stride_h if ring else 0,
        ring_pitch=max(reach, w.pad_left + w.input_w) * channels if ring else 0,
    )


def layout_in_place(params: Conv2D, layout: Layout) -> int:
    """Of te_conv_2d_pixels: a group is gathered, or its rows are in the ring, before outputs are written."""
    w = params.window
    last = np.minimum(np.arange(1, layout.groups + 1) * layout.at_once, layout.pixels) - 1
    ends = (last + 1) * params.output_channels
    if layout.ring_rows:
        loaded = last // w.output_w * w.stride_h - w.pad_top + (w.kernel_h - 1) * w.dilation_h + 1
        unread = np.maximum(loaded, 0) * w.input_w * params.input_channels
        return least_offset(ends, np.where(loaded < w.input_h, unread, NEVER))
    later = lowest_from(lowest_cells(w) * params.input_channels)
    return least_offset(ends, later[last + 1])


# -- sums and their scale --------------------------------------------------------------------------------------------


@by_numbers
def input_bias(params: Conv2D) -> npt.NDArray[np.int32]:
    """The bias with the input's zero point folded in, so that sums are over raw inputs."""
    return folded_bias(params.bias, params.weights, params.input_zero_point)


@by_numbers
def _sums(params: Conv2D) -> Sums:
    return find_sums(params.weights, input_bias(params))


@by_numbers
def layer_line(params: Conv2D) -> Line | None:
    """How the layer's sums become int8, if that is possible."""
    p = params
    scale = Scale(p.multiplier, p.shift, p.output_zero_point, p.activation_min, p.activation_max)
    return find_line(scale, _sums(p))


def found_line(params: Conv2D) -> Line:
    """`layer_line`, where there is one."""
    line = layer_line(params)
    assert line is not None
    return line


def pixels_reason(layer: Layer, core: Core, at_once: int) -> str:
    """Why this way cannot run the layer on the core; empty when it can."""
    p: Conv2D = layer.params
    w = p.window
    if p.groups != 1:
        return f"the convolution has {p.groups} groups"
    if reason := core_reason(core) or checks.int8_tensors(layer):
        return reason
    layout = find_layout(p, at_once)
    return (
        checks.one_image(layer, w.input_h * w.input_w * p.input_channels)
        or checks.window_sizes(w)
        or checks.sizes(
            (
                p.output_channels,
                w.input_w * p.input_channels,
                w.stride_w * p.input_channels,
                w.dilation_w * p.input_channels,
                layout.ring_pitch,
                layout.ring_rows,
                layout.segment_bytes,
            )
        )
        or ("" if layer_line(p) is not None else "no constants of the short requantization are right for all sums")
    )


# -- the panel -------------------------------------------------------------------------------------------------------


def _pack_unroll(layout: Layout) -> int:
    """Bytes of a segment that are taken in one turn."""
    return next(count for count in (4, 3, 2, 1) if layout.segment_bytes % count == 0)


@functools.cache
def _pack_assembly(at_once: int, unroll: int) -> Assembly:
    asm = Assembly()
    asm("push {r4-r7, lr}", "mov r12, r2")
    asm("ldm r0!, {r3-r6}" if at_once == 4 else "ldm r0!, {r3, r4}", "movs r0, #0")
    asm.block("turn", f"{unroll} bytes of {at_once} pixels")
    asm("1:")
    pairs = (("r3", "r4"), ("r5", "r6"))[: at_once // 2]
    for _ in range(unroll):
        for first, second in pairs:
            asm(f"ldrsb r2, [{first}, r0]", f"ldrsb r7, [{second}, r0]", "lsls r7, r7, #16", "adds r2, r2, r7")
            asm("stm r1!, {r2}")
        asm("adds r0, r0, #1")
    asm("cmp r0, r12", "bne 1b")
    asm.block("end")
    asm("mov r0, r1", "pop {r4-r7, pc}")
    return asm


@functools.cache
def _pack_function(at_once: int, unroll: int) -> AsmFunction:
    comment = (
        f"A run of `count` bytes of {at_once} pixels, a multiple of {unroll}, to words of two pixels each.\n\n"
        "Returns: the end of what was written\n"
        "r0 index, r1 to, r2, r7 a pair, r3-r6 pixels, r12 count"
    )
    prototype = "int32_t *NAME(const int8_t *const *pixels, int32_t *to, uint32_t count)"
    return _pack_assembly(at_once, unroll).shared("te_conv_2d_pack", prototype, comment)


def pack_function(layout: Layout) -> AsmFunction:
    return _pack_function(layout.at_once, _pack_unroll(layout))


def pack_cost(layout: Layout) -> tuple[str, int]:
    """Name and bytes of the function, for `Cost.shared_code`."""
    return pack_function(layout).name, _pack_assembly(layout.at_once, _pack_unroll(layout)).code_bytes


def pack_ticks(layout: Layout) -> Ticks:
    """What the function that packs takes for one segment."""
    asm = _pack_assembly(layout.at_once, _pack_unroll(layout))
    turns = layout.segment_bytes // _pack_unroll(layout)
    return asm.ticks("start") + turns * asm.ticks("turn") + asm.ticks("end")


def driver_cycles(params: Conv2D, layout: Layout) -> int:
    """Everything but the function that computes."""
    packed = pack_ticks(layout)
    segment = _DRIVER_SEGMENT + _DRIVER_SEGMENT_PIXEL * layout.at_once + packed.cycles
    group = _DRIVER_GROUP + _DRIVER_PIXEL * layout.at_once + layout.segments * segment
    cycles = _DRIVER_CALL + layout.groups * group
    if layout.ring_rows:
        w = params.window
        rows = (w.output_h - 1) * w.stride_h + (w.kernel_h - 1) * w.dilation_h + 1
        cycles += rows * int(_RING_ROW + _RING_BYTE * w.input_w * params.input_channels)
    return cycles


def params_members(params: Conv2D, layout: Layout, prefix: str, run: str, weights: str) -> dict[str, Value]:
    """The members of te_conv_2d_pixels_params."""
    w, channels = params.window, params.input_channels
    return {
        "run": run,
        "pack": pack_function(layout).name,
        "weights": weights,
        "scales": f"{prefix}_scales",
        "pixels": layout.pixels,
        "panel_words": layout.panel_bytes // 4,
        "width": w.output_w,
        "output_channels": params.output_channels,
        "input_rows": w.input_h,
        "row_bytes": w.input_w * channels,
        "step": w.stride_w * channels,
        "kernel_rows": layout.segments // layout.segments_per_row,
        "segments_per_row": layout.segments_per_row,
        "segment_bytes": layout.segment_bytes,
        "tap_bytes": w.dilation_w * channels,
        "window_rows": (w.kernel_h - 1) * w.dilation_h + 1,
        "stride_h": w.stride_h,
        "dilation_h": w.dilation_h,
        "pad_top": w.pad_top,
        "ring_rows": layout.ring_rows,
        "ring_pitch": layout.ring_pitch,
        "ring_left": w.pad_left * channels,
        "at_once": layout.at_once,
        "input_zero_point": params.input_zero_point,
    }


def params_text(params: Conv2D, layout: Layout, prefix: str, run: str, weights: str) -> str:
    """The parameters of te_conv_2d_pixels as C."""
    members = params_members(params, layout, prefix, run, weights)
    return params_struct("te_conv_2d_pixels_params", f"{prefix}_params", members)
