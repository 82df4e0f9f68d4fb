"""Geometry and weights of `armv7em/conv_2d_4x2`: segments, ring, scratch, overlap, and the packed stream of weights."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyedge.kernels.armv7em.conv_requantize import Requantization
from tinyedge.kernels.common.filters import folded_bias
from tinyedge.kernels.common.overlap import NEVER, least_offset, lowest_cells, lowest_from
from tinyedge.kernels.common.row_ring import reaches_outside
from tinyedge.ops.conv_2d import Conv2D

CHANNELS = 4
"""output channels at a time"""
_TAPS_OF_STEPS = np.array([[0, 2], [1, 3]])
"""SXTB16 of four bytes gives the first and third, then the second and fourth"""


@dataclass(frozen=True)
class Layout:
    """How te_conv_2d_4x2 goes through a layer.

    rows, width    of the output; one row where pixels are independent of where they lie
    segments       runs of bytes of a window, `segment_bytes` each, `segments_per_row` of them in each of its rows
    ring_rows      rows of input kept with their border; 0: the input is read in place
    """

    rows: int
    width: int
    segments_per_row: int
    segments: int
    segment_bytes: int
    ring_rows: int
    ring_pitch: int

    @property
    def segment_words(self) -> int:
        return -(-self.segment_bytes // 4)

    @property
    def steps(self) -> int:
        """Steps of two taps, over all segments."""
        return 2 * self.segment_words * self.segments

    @property
    def reads_behind(self) -> int:
        """Bytes behind the input that are read with its last segment, which weights of 0 serve."""
        return 0 if self.ring_rows else 4 * self.segment_words - self.segment_bytes

    @property
    def scratch_bytes(self) -> int:
        """Panel (8 bytes a step), table of segments, ring."""
        return 8 * self.steps + 4 * self.segments + self.ring_rows * self.ring_pitch


def find_layout(params: Conv2D) -> Layout:
    """In place where windows stay inside; of segments that are no whole words bytes behind them are read, too."""
    w, channels = params.window, params.input_channels
    dilated = w.dilation_w > 1 and w.kernel_w > 1
    segments_per_row = w.kernel_w if dilated else 1
    segment_bytes = channels if dilated else w.kernel_w * channels
    ring = reaches_outside(w)
    reach = (w.output_w - 1) * w.stride_w + (w.kernel_w - 1) * w.dilation_w + 1
    pitch = max(reach, w.pad_left + w.input_w) * channels
    scattered = ring or w.kernel_h * w.kernel_w > 1 or w.stride_h > 1 or w.stride_w > 1
    return Layout(
        rows=w.output_h if scattered else 1,
        width=w.output_w if scattered else w.output_h * w.output_w,
        segments_per_row=segments_per_row,
        segments=segments_per_row * w.kernel_h,
        segment_bytes=segment_bytes,
        ring_rows=(w.kernel_h - 1) * w.dilation_h + 1 if ring else 0,
        ring_pitch=-(-(pitch + 3) // 4) * 4 if ring else 0,
    )


def layout_in_place(params: Conv2D, layout: Layout) -> int:
    """In-place offset of te_conv_2d_4x2: a pair of pixels is gathered, or a row is in the ring, before outputs."""
    w = params.window
    if layout.ring_rows:
        loaded = np.arange(w.output_h) * w.stride_h - w.pad_top + layout.ring_rows
        ends = np.arange(1, w.output_h + 1) * w.output_w * params.output_channels
        unread = np.maximum(loaded, 0) * w.input_w * params.input_channels
        return least_offset(ends, np.where(loaded < w.input_h, unread, NEVER))
    cells = lowest_cells(w).reshape(layout.rows, layout.width)
    if layout.width % 2:  # the last pixel of an odd row stands for two
        cells = np.concatenate([cells, cells[:, -1:]], axis=1)
    pairs = cells.reshape(layout.rows, -1, 2).min(axis=2)
    in_row = np.minimum(2 * np.arange(1, pairs.shape[1] + 1), layout.width)
    ends = (np.arange(layout.rows)[:, None] * layout.width + in_row[None, :]) * params.output_channels
    later = lowest_from(pairs.reshape(-1) * params.input_channels)[1:]
    return least_offset(ends.reshape(-1), later)


def groups_of_channels(channels: int) -> npt.NDArray[np.int64]:
    """Four channels a group; the last group overlaps the one before when they do not come out even. Shape [groups, 4].

    >>> groups_of_channels(6).tolist()
    [[0, 1, 2, 3], [2, 3, 4, 5]]
    """
    starts = np.minimum(np.arange(0, channels, CHANNELS), channels - CHANNELS)
    return np.asarray(starts[:, None] + np.arange(CHANNELS)[None, :], np.int64)


def taps_in_order(params: Conv2D, layout: Layout) -> npt.NDArray[np.int64]:
    """The weights as the panel has its taps, segments filled up with zeros. Shape: [channels, steps, 2]."""
    runs = params.weights.astype(np.int64).reshape(params.output_channels, layout.segments, layout.segment_bytes)
    filled = np.pad(runs, ((0, 0), (0, 0), (0, 4 * layout.segment_words - layout.segment_bytes)))
    words = filled.reshape(params.output_channels, -1, 4)
    return np.asarray(words[:, :, _TAPS_OF_STEPS].reshape(params.output_channels, -1, 2), np.int64)


def mixes_exactly(params: Conv2D) -> bool:
    """Whether a + 256 b fits 16 bits for all weights that share a word: it does unless b = -128 and a < 0."""
    flat = params.weights.reshape(params.output_channels, -1)
    groups = groups_of_channels(params.output_channels)
    even, odd = flat[groups[:, 0::2]], flat[groups[:, 1::2]]
    return not bool(((odd == -128) & (even < 0)).any())


@functools.lru_cache(maxsize=128)
def input_bias(params: Conv2D) -> npt.NDArray[np.int32]:
    """The bias with the input's zero point folded in, so that sums are over raw inputs."""
    return folded_bias(params.bias, params.weights, params.input_zero_point)


def pack_weights(params: Conv2D, layout: Layout, requantization: Requantization) -> npt.NDArray[np.uint32]:
    """The stream of weights: for each group of channels a, b, c, d

    a + 256 b, a, c + 256 d, c      biases
    per step: a + 256 b, c + 256 d  each for two taps, one in each half
    two factors for each of a, b, c, d
    """
    groups = groups_of_channels(params.output_channels)
    taps = taps_in_order(params, layout)[groups]  # [groups, 4, steps, 2]
    halves = (taps[:, 0::2] + 256 * taps[:, 1::2]) & 0xFFFF
    words = (halves[..., 0] | halves[..., 1] << 16).transpose(0, 2, 1)  # [groups, steps, 2]
    bias = input_bias(params).astype(np.int64)[groups]
    starts = np.stack([bias[:, 0] + 256 * bias[:, 1], bias[:, 0], bias[:, 2] + 256 * bias[:, 3], bias[:, 2]], axis=1)
    factors = requantization.factors[groups].reshape(len(groups), -1)
    stream = np.concatenate([starts, words.reshape(len(groups), -1), factors], axis=1)
    return np.ascontiguousarray(stream & 0xFFFFFFFF).astype(np.uint32).reshape(-1)
