"""How far below its input an output must start when the two share memory: derived from the order of accesses.

A kernel that goes through memory upwards may overwrite what it will not read again. With the input at address 0 and
the output at -d, a write that ends at output byte `e` happens before some reads of which the lowest is at input
byte `r`; it is harmless when e - d <= r. So the in-place offset d is max(e - r) over all writes, each against the
lowest read that is still to come, and never below 0, since outputs start at or below their input.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.arithmetic.window import Window
from tinyedge.ops.fully_connected import FullyConnected

Int64Array = npt.NDArray[np.int64]

NEVER = np.iinfo(np.int64).max // 2
"""the lowest byte of what is not read at all"""


def _first_inside(size: int, outputs: int, stride: int, kernel: int, dilation: int, pad: int) -> Int64Array:
    """Along one axis, for each window the first position inside the input that it covers; NEVER if there is none."""
    positions = np.arange(outputs)[:, None] * stride - pad + np.arange(kernel)[None, :] * dilation
    inside = (positions >= 0) & (positions < size)
    return np.asarray(np.where(inside, positions, NEVER).min(axis=1), np.int64)


def lowest_cells(window: Window) -> Int64Array:
    """For each output pixel, in row-major order, the lowest input cell (row * width + column) its window reads."""
    w = window
    rows = _first_inside(w.input_h, w.output_h, w.stride_h, w.kernel_h, w.dilation_h, w.pad_top)
    columns = _first_inside(w.input_w, w.output_w, w.stride_w, w.kernel_w, w.dilation_w, w.pad_left)
    cells = rows[:, None] * w.input_w + columns[None, :]
    empty = (rows[:, None] == NEVER) | (columns[None, :] == NEVER)
    return np.asarray(np.where(empty, NEVER, cells).reshape(-1), np.int64)


def lowest_from(values: npt.NDArray[Any]) -> Int64Array:
    """For each position the lowest of the values from there on, and NEVER at the end: one entry more than `values`."""
    later = np.minimum.accumulate(np.asarray(values, np.int64)[::-1])[::-1]
    return np.append(later, NEVER)


def least_offset(ends: npt.NDArray[Any], reads: npt.NDArray[Any]) -> int:
    """max(ends - reads), at least 0: ends of writes against the lowest byte that is read after each of them.

    >>> least_offset(np.array([4, 8]), np.array([2, NEVER]))
    2
    """
    return max(0, int(np.max(np.asarray(ends, np.int64) - np.asarray(reads, np.int64), initial=0)))


def channelwise_in_place(window: Window, channels: int, at_once: int = 4) -> int:
    """Kernels that compute one pixel after the other, and in a pixel each channel from that channel alone.

    Within a pixel, channels still to come must not have been overwritten in its own lowest cell: channel c is read
    there as the write of the channels before it ends at c, so the channel cancels out. Between pixels, the whole
    pixel has been written. `at_once` channels are read before any of them is written, others one by one or so many at
    a time.
    """
    cells = lowest_cells(window)
    pixels = np.arange(len(cells))
    later = lowest_from(cells)[1:]
    within = least_offset(pixels, cells) if channels not in (1, at_once) else 0
    return channels * max(within, least_offset(pixels + 1, later))


def convolution_in_place(
    window: Window, input_channels: int, output_channels: int, groups: int, *, gathered: bool
) -> int:
    """Convolutions that compute pixel by pixel, groups of channels within a pixel, channels in fours within a group.

    gathered  the window (of one group) is copied before its channels are computed; otherwise it is read again for
              each four channels
    """
    cells = lowest_cells(window)
    pixels = np.arange(len(cells))
    between = least_offset((pixels + 1) * output_channels, _bytes(lowest_from(cells)[1:], input_channels))
    depth, share = input_channels // groups, output_channels // groups
    # Written before the last read of a group's window: the pixel up to the group's last four channels.
    unread = 0 if gathered else (share - 1) // 4 * 4
    within = 0
    for group in range(groups):
        written = group * share + unread
        if written:
            low = _bytes(cells, input_channels) + group * depth
            within = max(within, least_offset(pixels * output_channels + written, low))
    return max(between, within)


def connected_in_place(p: FullyConnected) -> int:
    """In elements: a row is read again for each four outputs, so all but its last block must stay clear of it."""
    rows = np.arange(p.batches)
    written_before_last_block = (p.outputs - 1) // 4 * 4
    within = least_offset(rows * p.outputs + written_before_last_block, rows * p.inputs) if p.outputs > 4 else 0
    return max(within, least_offset((rows + 1) * p.outputs, lowest_from(rows * p.inputs)[1:]))


def _bytes(cells: Int64Array, channels: int) -> Int64Array:
    """The addresses of cells; NEVER stays beyond all of them."""
    return np.where(cells == NEVER, NEVER, np.minimum(cells, NEVER // channels) * channels)
