"""In-place offsets against a brute force that walks the accesses of a loop nest in order."""

from __future__ import annotations

import numpy as np
import pytest

from kits.kernel_layers import window
from tinyedge.arithmetic.window import Window
from tinyedge.kernels.common.overlap import NEVER, channelwise_in_place, convolution_in_place, lowest_cells


def _cells(w: Window, pixel: int) -> list[int]:
    """The input cells under the window of an output pixel."""
    top = pixel // w.output_w * w.stride_h - w.pad_top
    left = pixel % w.output_w * w.stride_w - w.pad_left
    rows = [top + tap * w.dilation_h for tap in range(w.kernel_h)]
    columns = [left + tap * w.dilation_w for tap in range(w.kernel_w)]
    return [y * w.input_w + x for y in rows for x in columns if 0 <= y < w.input_h and 0 <= x < w.input_w]


def _smallest_offset(accesses: list[tuple[str, int]]) -> int:
    """The smallest offset with which no write hits a byte that is read later; accesses are (kind, byte) in order."""
    in_place, lowest_later = 0, NEVER
    for kind, byte in reversed(accesses):
        if kind == "read":
            lowest_later = min(lowest_later, byte)
        else:
            in_place = max(in_place, byte + 1 - lowest_later)
    return in_place


def _depthwise_accesses(w: Window, channels: int) -> list[tuple[str, int]]:
    accesses = []
    blocks = [range(c, c + 4) for c in range(0, channels // 4 * 4, 4)]
    blocks += [range(c, c + 1) for c in range(channels // 4 * 4, channels)]
    for pixel in range(w.output_h * w.output_w):
        for block in blocks:
            accesses += [("read", cell * channels + c) for cell in _cells(w, pixel) for c in block]
            accesses += [("write", pixel * channels + c) for c in block]
    return accesses


def _convolution_accesses(w: Window, inputs: int, outputs: int, groups: int, gathered: bool) -> list[tuple[str, int]]:
    accesses = []
    depth, share = inputs // groups, outputs // groups
    for pixel in range(w.output_h * w.output_w):
        for group in range(groups):
            reads = [("read", cell * inputs + group * depth + c) for cell in _cells(w, pixel) for c in range(depth)]
            for first in range(0, share, 4):
                if first == 0 or not gathered:
                    accesses += reads
                written = range(group * share + first, group * share + min(first + 4, share))
                accesses += [("write", pixel * outputs + c) for c in written]
    return accesses


@pytest.mark.parametrize("seed", range(40))
def test_leads_are_the_smallest_of_their_loop_nests(seed: int) -> None:
    rng = np.random.default_rng(seed)
    w = window(rng)
    channels = int(rng.integers(1, 11))
    assert channelwise_in_place(w, channels) == _smallest_offset(_depthwise_accesses(w, channels))
    groups = int(rng.choice([1, 1, 2, 3]))
    inputs, outputs = groups * int(rng.integers(1, 8)), groups * int(rng.integers(1, 10))
    for gathered in (True, False):
        in_place = convolution_in_place(w, inputs, outputs, groups, gathered=gathered)
        assert in_place == _smallest_offset(_convolution_accesses(w, inputs, outputs, groups, gathered))


def test_lowest_cells_of_windows_that_see_nothing() -> None:
    outside = Window(1, 1, 3, 1, 1, 1, 1, 1, 1, 1, 1, 0)
    assert lowest_cells(outside).tolist() == [NEVER, 0, NEVER]
