"""conv_2d in blocks of some output channels by two pixels: for cores without DSP instructions.

    conv_2d_blocks_4x2   eight sums at a time: for cores with 32 registers
    conv_2d_blocks_2x2   four: for cores with 16

The weights of a block lie in the order in which it takes them, a tap of each channel in turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core, Isa
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.common.overlap import least_offset, lowest_cells, lowest_from
from tinyedge.kernels.common.pace import by_isa
from tinyedge.kernels.common.row_ring import RowRing, make_ring, no_ring, reaches_outside, ring_in_place, ring_members
from tinyedge.kernels.common.short_requantize import short_constants, short_members, short_reason
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands, Storage
from tinyedge.kernels.portable.conv_2d import weights_comment
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D

TAPS_AT_ONCE = 4
GATHERED_BELOW_BYTES = 16
LAYER_CODE_BYTES = 24
PARAMS_BYTES = 76
PIXELS = 2


@dataclass(frozen=True)
class Rates:
    """Cycles of the parts of a layer on a core, as the timing models count zig's code, and the bytes of that code."""

    code_bytes: int
    tap: float
    """of a block, all its products"""
    run: float
    row: float
    """of a window"""
    output: float
    pair: float
    output_row: float
    copy: float
    """of a run or a row of the ring, and"""
    copied_byte: float


@dataclass(frozen=True)
class Runs:
    """Runs of bytes of a window: te_runs."""

    rows: int
    per_row: int
    bytes: int

    @property
    def taps(self) -> int:
        return self.rows * self.per_row * self.bytes

    @property
    def members(self) -> dict[str, Value]:
        return {"rows": self.rows, "per_row": self.per_row, "bytes": self.bytes}


@dataclass(frozen=True)
class Layout:
    """How te_conv_2d_blocks goes through a layer.

    rows, width    of the output; one row where pixels are independent of where they lie
    runs, read     of a window as it lies in the image, and as it is multiplied: gathered in one run, or as it lies
    """

    rows: int
    width: int
    runs: Runs
    read: Runs
    ring: RowRing

    @property
    def gathered_bytes(self) -> int:
        """Of one window."""
        return self.read.bytes if self.read != self.runs else 0

    @property
    def scratch_bytes(self) -> int:
        return PIXELS * self.gathered_bytes + self.ring.bytes


def find_layout(params: Conv2D) -> Layout:
    """Windows are gathered where their runs are short or need filling up, and in a ring where they reach outside."""
    w, channels = params.window, params.input_channels
    dilated = w.dilation_w > 1 and w.kernel_w > 1
    runs = Runs(w.kernel_h, w.kernel_w if dilated else 1, channels if dilated else w.kernel_w * channels)
    read = runs
    if runs.bytes % TAPS_AT_ONCE or (runs.taps > runs.bytes and runs.bytes < GATHERED_BELOW_BYTES):
        read = Runs(1, 1, -(-runs.taps // TAPS_AT_ONCE) * TAPS_AT_ONCE)
    outside = reaches_outside(w)
    scattered = outside or w.kernel_h * w.kernel_w > 1 or w.stride_h > 1 or w.stride_w > 1
    return Layout(
        rows=w.output_h if scattered else 1,
        width=w.output_w if scattered else w.output_h * w.output_w,
        runs=runs,
        read=read,
        ring=make_ring(w, channels) if outside else no_ring(w, channels),
    )


def blocks_of_channels(channels: int, at_once: int) -> npt.NDArray[np.int64]:
    """The channels of each block; the last block overlaps the one before when they do not come out even.

    >>> blocks_of_channels(6, 4).tolist()
    [[0, 1, 2, 3], [2, 3, 4, 5]]
    """
    starts = np.minimum(np.arange(0, channels, at_once), channels - at_once)
    return np.asarray(starts[:, None] + np.arange(at_once)[None, :], np.int64)


def pack_weights(params: Conv2D, layout: Layout, at_once: int) -> npt.NDArray[np.int8]:
    """Shape [blocks, taps, channels of a block], flattened."""
    taps = params.weights.reshape(params.output_channels, -1)
    filled = np.pad(taps, ((0, 0), (0, layout.read.taps - taps.shape[1])))
    blocks = filled[blocks_of_channels(params.output_channels, at_once)]
    return np.ascontiguousarray(blocks.transpose(0, 2, 1), np.int8).reshape(-1)


def blocks_in_place(params: Conv2D, layout: Layout, at_once: int) -> int:
    """Of te_conv_2d_blocks: each block reads the windows of two pixels again, unless they are gathered."""
    w, channels = params.window, params.output_channels
    if layout.ring.rows:
        return ring_in_place(layout.ring, w, params.input_channels, channels)
    cells = lowest_cells(w).reshape(layout.rows, layout.width)
    if layout.width % PIXELS:  # the last pixel of an odd row stands for two
        cells = np.concatenate([cells, cells[:, -1:]], axis=1)
    pairs = cells.reshape(layout.rows, -1, PIXELS).min(axis=2)
    unread = lowest_from(pairs.reshape(-1) * params.input_channels)
    in_row = np.minimum(PIXELS * np.arange(1, pairs.shape[1] + 1), layout.width)
    pixels = (np.arange(layout.rows)[:, None] * layout.width + in_row[None, :]).reshape(-1)
    before_last_block = (channels - 1) // at_once * at_once
    again = before_last_block and not layout.gathered_bytes
    within = least_offset((pixels - 1) * channels + before_last_block, unread[:-1]) if again else 0
    return max(within, least_offset(pixels * channels, unread[1:]))


class Conv2DBlocks(Kernel):
    """int8 convolutions without groups."""

    operators: ClassVar[tuple[str, ...]] = ("conv_2d",)
    stem: ClassVar[str]
    channels: ClassVar[int]
    """of a block"""
    rates: ClassVar[Mapping[Isa, Rates]]
    weight_bits: ClassVar[int] = 8
    """in flash"""

    def _pack(self, p: Conv2D, layout: Layout) -> npt.NDArray[np.int8]:
        """The weights block by block."""
        return pack_weights(p, layout, self.channels)

    def _storage(self, p: Conv2D) -> Storage | None:
        """How the weights lie in flash, where that is not as they are."""
        return None

    def _pair_cycles(self, layout: Layout, blocks: int, core: Core) -> float:
        """What a pair of pixels takes beside what is counted for all kernels of blocks."""
        return 0.0

    def fits(self, layer: Layer, core: Core) -> str:
        p: Conv2D = layer.params
        if p.groups != 1:
            return f"the convolution has {p.groups} groups"
        if p.output_channels < self.channels:
            return f"{p.output_channels} output channels are fewer than the {self.channels} it computes at a time"
        w, layout = p.window, find_layout(p)
        row_bytes = w.input_w * p.input_channels
        steps = (w.stride_w * p.input_channels, w.dilation_w * p.input_channels)
        return (
            checks.int8_tensors(layer)
            or checks.one_image(layer, w.input_h * row_bytes)
            or checks.window_sizes(w)
            or checks.sizes((p.output_channels, layout.width, layout.read.bytes, layout.ring.pitch, row_bytes, *steps))
            or short_reason(p)
        )

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Conv2D = layer.params
        layout, rate = find_layout(p), self.rates[core.isa]
        read, runs = layout.read, layout.runs
        blocks = -(-p.output_channels // self.channels)
        block = read.rows * (rate.row + read.per_row * rate.run) + read.taps * rate.tap
        block += PIXELS * self.channels * rate.output
        pair = rate.pair + blocks * block + self._pair_cycles(layout, blocks, core)
        if layout.gathered_bytes:
            pair += PIXELS * (runs.rows * (rate.row + runs.per_row * rate.copy) + rate.copied_byte * runs.taps)
        cycles = layout.rows * (rate.output_row + -(-layout.width // PIXELS) * pair)
        if layout.ring.rows:
            loaded = min(p.window.input_h, layout.rows * layout.ring.rows)
            cycles += loaded * (rate.copy + rate.copied_byte * layout.ring.pitch)
        weights = blocks * self.channels * read.taps * self.weight_bits // 8
        constants = weights + 9 * p.output_channels + PARAMS_BYTES
        shared = ((self.stem, rate.code_bytes),)
        return Cost(int(cycles), LAYER_CODE_BYTES, constants, shared, self._storage(p))

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return find_layout(layer.params).scratch_bytes

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return blocks_in_place(layer.params, find_layout(layer.params), self.channels)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Conv2D = layer.params
        prefix, layout = operands.prefix, find_layout(p)
        weights = self._pack(p, layout)
        block_bytes = len(weights) // -(-p.output_channels // self.channels)
        members = params_members(p, layout, prefix, f"{prefix}_weights", block_bytes)
        comment = f"{weights_comment(p)}; {self.channels} output channels in turn"
        scratch = operands.scratch or "NULL"
        return Code(
            call=(f"{self.stem}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]}, {scratch});",),
            constants=(
                Constant(f"{prefix}_weights", "int8_t", weights, 4, comment),
                *short_constants(prefix, p),
            ),
            functions=params_struct("te_conv_2d_blocks_params", f"{prefix}_params", members),
            runtime=(self.stem,),
            includes=("stddef.h",),
        )


def params_members(params: Conv2D, layout: Layout, prefix: str, weights: str, block_bytes: int) -> dict[str, Value]:
    """The members of te_conv_2d_blocks_params."""
    w, channels = params.window, params.input_channels
    return {
        "ring": ring_members(layout.ring, w, channels, params.input_zero_point),
        "runs": layout.runs.members,
        "read": layout.read.members,
        "rows": layout.rows,
        "width": layout.width,
        "output_channels": params.output_channels,
        "stride_h": w.stride_h,
        "step": w.stride_w * channels,
        "dilation_h": w.dilation_h,
        "gathered_bytes": layout.gathered_bytes,
        "tap_bytes": w.dilation_w * channels,
        "block_bytes": block_bytes,
        "weights": weights,
        **short_members(prefix, params),
    }


class Conv2DBlocks4x2(Conv2DBlocks):
    """int8 convolutions without groups, of four or more output channels."""

    name = "portable/conv_2d_blocks_4x2"
    stem = "te_conv_2d_blocks_4x2"
    channels = 4
    rates = by_isa(
        armv6m=Rates(1282, 81.6, 29.1, 51.4, 100.0, 71.4, 55.2, 59.2, 6.7),
        armv7m=Rates(1124, 34.9, 16.3, 30.9, 36.7, 54.4, 41.1, 55.8, 1.0),
        dsp=Rates(1140, 26.4, 20.6, 31.2, 33.5, 60.4, 43.1, 55.5, 1.1),
        rv32=Rates(1300, 28.0, 16.2, 27.4, 43.0, 42.3, 55.6, 34.9, 4.1),
    )


class Conv2DBlocks2x2(Conv2DBlocks):
    """int8 convolutions without groups, of two or more output channels."""

    name = "portable/conv_2d_blocks_2x2"
    stem = "te_conv_2d_blocks_2x2"
    channels = 2
    rates = by_isa(
        armv6m=Rates(1062, 47.9, 26.5, 49.0, 103.7, 96.8, 64.2, 58.7, 7.1),
        armv7m=Rates(942, 14.2, 19.3, 30.5, 39.2, 81.8, 40.2, 55.6, 1.0),
        dsp=Rates(972, 10.5, 19.1, 29.9, 37.2, 80.9, 40.6, 54.6, 1.1),
        rv32=Rates(1158, 14.0, 6.8, 25.6, 47.3, 78.8, 61.4, 34.9, 4.3),
    )


KERNELS: tuple[Kernel, ...] = (Conv2DBlocks4x2(), Conv2DBlocks2x2())
