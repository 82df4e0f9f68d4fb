"""How a convolution goes through its input with Helium: runs, the window kept with its border, columns, overlap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.kernels.armv81m.tile import LANES, Requantization, TileForm, requantization_of
from tinyedge.kernels.common.filters import folded_bias
from tinyedge.kernels.common.overlap import NEVER, least_offset, lowest_cells, lowest_from
from tinyedge.kernels.common.row_ring import reaches_outside
from tinyedge.ops.conv_2d import Conv2D

Int64Array = npt.NDArray[np.int64]


def chunks_of(size: int) -> int:
    """Vectors that hold so many bytes."""
    return -(-size // LANES)


@dataclass(frozen=True)
class Layout:
    """How te_conv_2d_mve goes through a layer.

    rows, width    of the output; one row where pixels are independent of where they lie
    runs           runs of bytes of a window in one row of the kernel, `run_bytes` each
    window_rows    rows of input kept with their border; 0: the input is read in place
    pitch          bytes of one of them
    column_bytes   of a window gathered into one run; 0: windows are read where they are
    """

    rows: int
    width: int
    runs: int
    run_bytes: int
    window_rows: int
    pitch: int
    column_bytes: int

    @property
    def window_bytes(self) -> int:
        """Of the rows that are kept, with room behind them for reading a vector from the last byte."""
        return -(-(self.window_rows * self.pitch + LANES) // LANES) * LANES if self.window_rows else 0

    @property
    def scratch_bytes(self) -> int:
        """Window, columns, and room behind these for writing a vector at the last byte."""
        return self.window_bytes + (self.width * self.column_bytes + LANES if self.column_bytes else 0)


def _pitch(p: Conv2D) -> int:
    """Bytes of a row with its border, in whole words."""
    w = p.window
    reach = (w.output_w - 1) * w.stride_w + (w.kernel_w - 1) * w.dilation_w + 1
    return -(-max(reach, w.pad_left + w.input_w) * p.input_channels // 4) * 4


def _kept_rows(p: Conv2D) -> int:
    return (p.window.kernel_h - 1) * p.window.dilation_h + 1


def rows_reason(p: Conv2D) -> str:
    """Why windows cannot be read as rows of words; empty when they can."""
    w = p.window
    if w.dilation_w > 1 and w.kernel_w > 1:
        return f"columns of the kernel are {w.dilation_w} pixels apart"
    if w.stride_w * p.input_channels % 4 and w.output_w > 1:
        return f"windows are {w.stride_w * p.input_channels} bytes apart, not whole words"
    return ""


def rows_layout(p: Conv2D) -> Layout:
    """Windows are read row by row: in place where they stay inside and rows are whole vectors."""
    w, run = p.window, p.window.kernel_w * p.input_channels
    words = w.input_w * p.input_channels % 4 == 0 or w.output_h == 1 == w.kernel_h
    in_place = not reaches_outside(w) and run % LANES == 0 and words
    if not in_place:
        return Layout(w.output_h, w.output_w, 1, run, _kept_rows(p), _pitch(p), 0)
    single = w.kernel_h * w.kernel_w == 1 == w.stride_h == w.stride_w
    rows, width = (1, w.output_h * w.output_w) if single else (w.output_h, w.output_w)
    return Layout(rows, width, 1, run, 0, w.input_w * p.input_channels, 0)


def columns_layout(p: Conv2D) -> Layout:
    """The windows of a row of pixels are gathered first, each into one run."""
    w = p.window
    dilated = w.dilation_w > 1 and w.kernel_w > 1
    runs = w.kernel_w if dilated else 1
    run = p.input_channels if dilated else w.kernel_w * p.input_channels
    taps = w.kernel_h * w.kernel_w * p.input_channels
    return Layout(w.output_h, w.output_w, runs, run, _kept_rows(p), _pitch(p), LANES * chunks_of(taps))


def tile_form(p: Conv2D, layout: Layout, *, looped: bool) -> TileForm:
    """The function that computes a row of the layout; of a single pixel in a row, eight channels at a time."""
    w = p.window
    gathered = layout.column_bytes > 0
    return TileForm(
        pixels=2 if layout.width > 1 else 1,
        runs=1 if gathered else w.kernel_h,
        chunks=layout.column_bytes // LANES if gathered else chunks_of(layout.run_bytes),
        run_step=0 if gathered or w.kernel_h == 1 else w.dilation_h * layout.pitch,
        step=layout.column_bytes if gathered else w.stride_w * p.input_channels,
        channels=p.output_channels,
        requantization=requantization_of(p),
        looped=looped,
    )


def layout_in_place(p: Conv2D, layout: Layout, form: TileForm) -> int:
    """Of te_conv_2d_mve: rows are in the window, or windows are read for each tile of a pair of pixels."""
    w = p.window
    if layout.window_rows:
        loaded = np.arange(w.output_h) * w.stride_h - w.pad_top + layout.window_rows
        ends = np.arange(1, w.output_h + 1) * w.output_w * p.output_channels
        unread = np.maximum(loaded, 0) * w.input_w * p.input_channels
        return least_offset(ends, np.where(loaded < w.input_h, unread, NEVER))
    cells = lowest_cells(w).reshape(layout.rows, layout.width) * p.input_channels
    firsts = np.minimum(np.arange(0, layout.width, form.pixels), layout.width - form.pixels)
    lowest = cells[:, firsts].reshape(-1)
    pixels = (np.arange(layout.rows)[:, None] * layout.width + firsts[None, :]).reshape(-1)
    between = least_offset((pixels + form.pixels) * p.output_channels, lowest_from(lowest)[1:])
    if form.groups == 1:
        return between
    before_last = (pixels + form.pixels - 1) * p.output_channels + (form.groups - 1) * form.tile_channels
    return max(between, least_offset(before_last, lowest))


def gathered_weights(p: Conv2D, layout: Layout) -> npt.NDArray[np.int8]:
    """Weights in the order in which windows are read, filled up to whole vectors. Shape: [channels, chunks, 16]"""
    channels = p.output_channels
    runs = 1 if layout.column_bytes else p.window.kernel_h
    flat = p.weights.astype(np.int8).reshape(channels, runs, -1)
    size = layout.column_bytes or LANES * chunks_of(layout.run_bytes)
    filled = np.zeros((channels, runs, size), np.int8)
    filled[:, :, : flat.shape[2]] = flat
    return filled.reshape(channels, -1, LANES)


def pack(
    weights: npt.NDArray[np.int8],
    bias: npt.NDArray[Any],
    multiplier: npt.NDArray[Any],
    shift: npt.NDArray[Any],
    tile_channels: int,
    requantization: Requantization,
) -> npt.NDArray[np.int8]:
    """The stream a tile function reads: weights of each tile, chunk by chunk, then constants of each four channels.

    Shape:  weights [channels, chunks, 16]; the others [channels]
    """
    channels, chunks, _ = weights.shape
    groups = -(-channels // tile_channels)
    padded = np.zeros((groups * tile_channels, chunks, LANES), np.int8)
    padded[:channels] = weights
    products = padded.reshape(groups, tile_channels, chunks, LANES).transpose(0, 2, 1, 3).reshape(groups, -1)
    vectors = [bias, multiplier, np.minimum(shift, 0), np.maximum(shift, 0)][: requantization.vectors]
    constants = np.zeros((len(vectors), groups * tile_channels), np.int32)
    for vector, values in zip(constants, vectors, strict=True):
        vector[:channels] = values
    fours = constants.reshape(len(vectors), groups, tile_channels // 4, 4).transpose(1, 2, 0, 3)
    tails = np.ascontiguousarray(fours, "<i4").view(np.int8).reshape(groups, -1)
    return np.concatenate([products, tails], axis=1).reshape(-1)


def pack_conv(p: Conv2D, layout: Layout, form: TileForm) -> npt.NDArray[np.int8]:
    """The stream of a convolution, the input's zero point folded into the biases."""
    bias = folded_bias(p.bias, p.weights, p.input_zero_point)
    return pack(gathered_weights(p, layout), bias, p.multiplier, p.shift, form.tile_channels, form.requantization)
