"""The ring of rows (te_row_ring.h) through which kernels read images whose windows reach outside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.window import Window
from tinyedge.kernels.common.c_text import Value
from tinyedge.kernels.common.overlap import NEVER, least_offset


def reaches_outside(window: Window) -> bool:
    """Whether any window covers a cell outside the input."""

    def axis(size: int, outputs: int, stride: int, kernel: int, dilation: int, pad: int) -> bool:
        return pad > 0 or (outputs - 1) * stride - pad + (kernel - 1) * dilation >= size

    w = window
    return axis(w.input_h, w.output_h, w.stride_h, w.kernel_h, w.dilation_h, w.pad_top) or axis(
        w.input_w, w.output_w, w.stride_w, w.kernel_w, w.dilation_w, w.pad_left
    )


@dataclass(frozen=True)
class RowRing:
    """rows of a window, `pitch` bytes from one to the next; no rows: the input is read in place."""

    rows: int
    pitch: int

    @property
    def bytes(self) -> int:
        """Scratch it takes."""
        return self.rows * self.pitch


def make_ring(window: Window, channels: int) -> RowRing:
    """A ring for all rows of a window, each with what windows see to its left and right."""
    w = window
    reach = (w.output_w - 1) * w.stride_w + (w.kernel_w - 1) * w.dilation_w + 1
    return RowRing((w.kernel_h - 1) * w.dilation_h + 1, max(reach, w.pad_left + w.input_w) * channels)


def no_ring(window: Window, channels: int) -> RowRing:
    """The input as it is."""
    return RowRing(0, window.input_w * channels)


def ring_members(ring: RowRing, window: Window, channels: int, padding: int) -> dict[str, Value]:
    """The members of te_row_ring."""
    return {
        "input_rows": window.input_h,
        "row_bytes": window.input_w * channels,
        "rows": ring.rows,
        "pitch": ring.pitch,
        "left": window.pad_left * channels,
        "pad_top": window.pad_top,
        "padding": padding,
    }


def ring_in_place(ring: RowRing, window: Window, input_channels: int, output_channels: int) -> int:
    """The in-place offset of kernels that fill the ring for a row of output before they write any of it."""
    w = window
    rows = np.arange(w.output_h)
    ends = (rows + 1) * w.output_w * output_channels
    first_of_next = (rows + 1) * w.stride_h
    unread = np.maximum(np.maximum(rows * w.stride_h + ring.rows, first_of_next) - w.pad_top, 0)
    needed = (unread < w.input_h) & (rows + 1 < w.output_h)
    return least_offset(ends, np.where(needed, unread * w.input_w * input_channels, NEVER))
