"""depthwise_conv_2d with Helium: sixteen channels at a time, from the last rows of input kept with their border.

VMULLB and VMULLT give products of 16 bits, of even and odd channels. As many taps as these hold, which the weights
tell, are summed before they are widened to 32 bits. The sums of channels 4i, 4i + 2, 4i + 1, 4i + 3 end up in q0 to q3,
and narrowing puts them back in order. Pixels side by side of 4 or 8 channels share a vector. The way through the image
is that of convolutions, te_conv_2d_mve.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv81m.conv_2d import DRIVER_BYTES, LAYER_CODE_BYTES, PARAMS_BYTES, STEM, helium_reason
from tinyedge.kernels.armv81m.tile import LANES, Requantization, Ties, requantization_of
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import params_struct
from tinyedge.kernels.common.filters import folded_bias
from tinyedge.kernels.common.overlap import NEVER, least_offset
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Operands
from tinyedge.kernels.thumb.assembly import Assembly, load_constant
from tinyedge.ops.contract import Layer
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D

ROWS = ("r12", "r1", "r3", "r4", "r6")
"""pointers to the rows of a window"""
MOST_TAPS = 25
ORDER = (0, 2, 1, 3)
"""channels of each four as they lie in q0 to q3"""
PROTOTYPE = "void NAME(const int8_t *window, const int8_t *weights, int8_t *output, uint32_t count)"
# Instructions of te_conv_2d_mve.
_DRIVER_CALL = 60
_DRIVER_ROW = 60


def _pitch(p: DepthwiseConv2D) -> int:
    """Bytes of a row with its border, in whole words."""
    w = p.window
    reach = (w.output_w - 1) * w.stride_w + (w.kernel_w - 1) * w.dilation_w + 1
    return -(-max(reach, w.pad_left + w.input_w) * p.input_channels // 4) * 4


def _kept_rows(p: DepthwiseConv2D) -> int:
    return (p.window.kernel_h - 1) * p.window.dilation_h + 1


def _window_bytes(p: DepthwiseConv2D) -> int:
    """The rows that are kept, with room behind them for reading a vector from the last byte."""
    return -(-(_kept_rows(p) * _pitch(p) + LANES) // LANES) * LANES


def tap_groups(weights: npt.NDArray[np.int64]) -> tuple[int, ...]:
    """How many taps, in their order, are summed in 16 bits at a time. Shape: weights [taps, channels]

    >>> tap_groups(np.array([[100], [100], [100], [-128]]))
    (2, 2)
    """
    groups: list[int] = []
    total = np.zeros(weights.shape[1], np.int64)
    for tap in np.abs(weights):
        if groups and (128 * (total + tap)).max() <= 32767:
            groups[-1] += 1
            total = total + tap
        else:
            groups.append(1)
            total = tap
    return tuple(groups)


@cache
def _assembly(
    channels: int,
    offsets: tuple[tuple[int, int], ...],
    row_step: int,
    step: int,
    groups: tuple[int, ...],
    r: Requantization,
) -> Assembly:
    """offsets: of each tap its row and the bytes from that row's pointer."""
    asm = Assembly({})
    asm.block("call")
    asm("push {r4-r11, lr}", "vpush {d8-d15}", "mov r8, r1", "mov r7, r2", "mov r9, r3", f"mov r11, #{r.zero_point}")
    asm.block("pixel", "next pixel")
    asm("1: mov r5, r8", "mov r12, r0", f"movw r10, #{channels}")
    asm.block("channels", "next channels")
    asm("2:")
    rows = 1 + max(row for row, _ in offsets)
    for above, below in pairwise(ROWS[:rows]):
        _advance(asm, below, above, row_step)
    load = "vldrw.u32" if channels % 4 == 0 else "vldrb.u8"
    tap = 0
    for number, size in enumerate(groups):
        for place in range(size):
            row, offset = offsets[tap + place]
            _tap(asm, f"{load} q4, [{ROWS[row]}, #{offset}]", first=place == 0)
        _widen(asm, first=number == 0)
        tap += size
    asm.block("channels", "sums to int8")
    for vector in range(4):
        _requantize(asm, f"q{vector}", r)
    asm("vqmovnb.s32 q0, q0", "vqmovnt.s32 q0, q1", "vqmovnb.s32 q2, q2", "vqmovnt.s32 q2, q3")
    asm("vqmovnb.s16 q0, q0", "vqmovnt.s16 q0, q2")
    for bound, operation, unneeded in ((r.low, "vmax.s8", -128), (r.high, "vmin.s8", 127)):
        if bound != unneeded:
            asm(f"mvn r2, #{~bound}" if bound < 0 else f"mov r2, #{bound}", "vdup.8 q1, r2", f"{operation} q0, q0, q1")
    if channels % LANES:
        asm("vctp.8 r10", "vpst", "vstrbt.8 q0, [r7], #16")
    else:
        asm("vstrb.8 q0, [r7], #16")
    asm("add r12, r12, #16", "subs r10, r10, #16", "bgt 2b")
    asm.block("pixel")
    if channels % LANES:
        asm(f"sub r7, r7, #{-channels % LANES}")
    _advance(asm, "r0", "r0", step)
    asm("subs r9, r9, #1", "bne 1b")
    asm.block("call")
    asm("vpop {d8-d15}", "pop {r4-r11, pc}")
    return asm


def _advance(asm: Assembly, target: str, source: str, value: int) -> None:
    if value <= 4095:
        asm(f"add {target}, {source}, #{value}")
    else:
        load_constant(asm, "lr", value)
        asm(f"add {target}, {source}, lr")


def _tap(asm: Assembly, load: str, *, first: bool) -> None:
    """Products of even channels are summed in q6, those of odd ones in q7; the inputs are loaded for each."""
    asm(load, "vldrw.u32 q5, [r5], #16")
    if first:
        asm("vmullb.s8 q6, q4, q5", "vmullt.s8 q7, q4, q5")
    else:
        asm("vmullb.s8 q4, q4, q5", "vadd.i16 q6, q6, q4", load, "vmullt.s8 q4, q4, q5", "vadd.i16 q7, q7, q4")


def _widen(asm: Assembly, *, first: bool) -> None:
    for vector, half in enumerate(("vmovlb.s16 {}, q6", "vmovlt.s16 {}, q6", "vmovlb.s16 {}, q7", "vmovlt.s16 {}, q7")):
        if first:
            asm(half.format(f"q{vector}"))
        else:
            asm(half.format("q4"), f"vadd.i32 q{vector}, q{vector}, q4")


def _requantize(asm: Assembly, q: str, r: Requantization) -> None:
    asm("vldm r5!, {d8-d13}", f"vadd.i32 {q}, {q}, q4", f"vqrdmulh.s32 {q}, {q}, q5")
    if r.ties is Ties.LOWERED:
        asm(f"vshr.s32 q7, {q}, #31")
    if r.ties is Ties.MASKED:
        asm(f"vand q7, {q}, q6", "vshr.s32 q7, q7, #31")
    if r.ties is not Ties.CLAMPED:
        asm(f"vadd.i32 {q}, {q}, q7")
    asm(f"vrshl.s32 {q}, {q}, q6", f"vqadd.s32 {q}, {q}, r11")


def _pixels(p: DepthwiseConv2D) -> int:
    """Pixels side by side that share a vector, as if all their channels were those of one."""
    pixels = LANES // p.input_channels
    even = pixels > 0 and p.window.stride_w == 1 and p.window.output_w % pixels == 0
    return pixels if even and LANES % p.input_channels == 0 and p.input_channels % 4 == 0 else 1


def _weights(p: DepthwiseConv2D) -> npt.NDArray[np.int64]:
    """Shape: [taps, channels]"""
    return p.weights.reshape(-1, p.output_channels).astype(np.int64)


def _function_of(p: DepthwiseConv2D) -> tuple[AsmFunction, Assembly]:
    w, channels = p.window, p.input_channels
    offsets = tuple(
        (row, column * w.dilation_w * channels) for row in range(w.kernel_h) for column in range(w.kernel_w)
    )
    groups = tap_groups(_weights(p))
    wide = _pixels(p) * channels
    step = _pixels(p) * w.stride_w * channels
    asm = _assembly(wide, offsets, w.dilation_h * _pitch(p), step, groups, requantization_of(p))
    comment = (
        f"A row of pixels of a depthwise convolution, {wide} channels, sixteen at a time.\n\n"
        f"window   of the first pixel, rows {_pitch(p)} bytes apart\n"
        "weights  for each sixteen channels: those of each tap, then four times biases, multipliers and shifts\n"
        f"count    of pixels\nSums of {', '.join(str(size) for size in groups)} taps fit 16 bits.\n"
        "r0 pixel, r5 weights, r7 output, r9 pixels left, r10 channels left, r11 zero point; q0-q3 sums, q4 input, "
        "q5 weights"
    )
    return asm.shared("te_depthwise", PROTOTYPE, comment), asm


def pack(p: DepthwiseConv2D) -> npt.NDArray[np.int8]:
    """The stream of weights and constants, as the function's comment has it."""
    pixels, taps = _pixels(p), np.tile(_weights(p), _pixels(p))
    channels = pixels * p.output_channels
    blocks = -(-channels // LANES)
    padded = np.zeros((len(taps), blocks * LANES), np.int8)
    padded[:, :channels] = taps
    products = padded.reshape(len(taps), blocks, LANES).transpose(1, 0, 2).reshape(blocks, -1)
    constants = np.zeros((3, blocks * LANES), np.int32)
    bias = folded_bias(p.bias, _weights(p).T, p.input_zero_point)
    for vector, values in zip(constants, (bias, p.multiplier, p.shift), strict=True):
        vector[:channels] = np.tile(values, pixels)
    fours = constants.reshape(3, blocks, 4, 4)[:, :, :, list(ORDER)].transpose(1, 3, 0, 2)
    tails = np.ascontiguousarray(fours, "<i4").view(np.int8).reshape(blocks, -1)
    return np.concatenate([products, tails], axis=1).reshape(-1)


class DepthwiseHelium(Kernel):
    """int8 depthwise convolutions with one filter a channel."""

    name = "armv81m/depthwise_conv_2d"
    operators: ClassVar[tuple[str, ...]] = ("depthwise_conv_2d",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: DepthwiseConv2D = layer.params
        w = p.window
        if reason := helium_reason(layer, core) or checks.one_image(layer, w.input_h * w.input_w * p.input_channels):
            return reason
        if p.depth_multiplier != 1:
            return f"each channel has {p.depth_multiplier} filters"
        if w.kernel_h > len(ROWS) or w.kernel_h * w.kernel_w > MOST_TAPS:
            return f"{w.kernel_h} rows of {w.kernel_w} taps are more than the {len(ROWS)}, or {MOST_TAPS} taps, it has"
        furthest = (w.kernel_w - 1) * w.dilation_w * p.input_channels
        if furthest > (508 if p.input_channels % 4 == 0 else 127):
            return f"taps of a row are up to {furthest} bytes apart, beyond what a load reaches"
        if (p.shift > 0).any():
            return "a channel is shifted to the left"
        return checks.window_sizes(w) or checks.sizes(
            (p.input_channels, _pitch(p), w.stride_w * p.input_channels, w.pad_left * p.input_channels)
        )

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: DepthwiseConv2D = layer.params
        w = p.window
        function, asm = _function_of(p)
        blocks = -(-p.input_channels // LANES)
        pixel = asm.instructions("pixel") + blocks * asm.instructions("channels")
        by_words = p.input_channels % 4 == 0
        copied = (4 if by_words else 24) * _kept_rows(p) * _pitch(p) // 64
        row = _DRIVER_ROW + copied + asm.instructions("call") + w.output_w // _pixels(p) * pixel
        shared = ((STEM, DRIVER_BYTES), (function.name, asm.code_bytes))
        constants = blocks * (LANES * w.kernel_h * w.kernel_w + 192) + PARAMS_BYTES
        count = _DRIVER_CALL + w.output_h * row
        return Cost(count, LAYER_CODE_BYTES, constants, shared, instructions=count)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return _window_bytes(layer.params)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """A row of outputs is written when the rows its windows see are in the scratch."""
        p: DepthwiseConv2D = layer.params
        w, channels = p.window, p.input_channels
        loaded = np.arange(w.output_h) * w.stride_h - w.pad_top + _kept_rows(p)
        ends = np.arange(1, w.output_h + 1) * w.output_w * channels
        unread = np.maximum(loaded, 0) * w.input_w * channels
        return least_offset(ends, np.where(loaded < w.input_h, unread, NEVER))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: DepthwiseConv2D = layer.params
        w, channels, prefix = p.window, p.input_channels, operands.prefix
        function, _ = _function_of(p)
        struct = params_struct(
            "te_conv_mve_params",
            f"{prefix}_params",
            {
                "run": function.name,
                "weights": f"{prefix}_weights",
                "rows": w.output_h,
                "width": w.output_w // _pixels(p),
                "tile_pixels": 1,
                "step": _pixels(p) * w.stride_w * channels,
                "output_channels": _pixels(p) * channels,
                "input_rows": w.input_h,
                "row_bytes": w.input_w * channels,
                "stride_h": w.stride_h,
                "pad_top": w.pad_top,
                "window_rows": _kept_rows(p),
                "pitch": _pitch(p),
                "left_bytes": w.pad_left * channels,
                "window_bytes": _window_bytes(p),
                "input_zero_point": p.input_zero_point,
            },
        )
        comment = f"weights {w.kernel_h}x{w.kernel_w}x{channels}, sixteen channels at a time, biases, scales"
        return Code(
            call=(f"{STEM}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]}, {operands.scratch});",),
            constants=(Constant(f"{prefix}_weights", "int8_t", pack(p), 4, comment),),
            functions=struct,
            runtime=(STEM,),
            assembler=(function,),
        )


KERNELS: tuple[Kernel, ...] = (DepthwiseHelium(),)
