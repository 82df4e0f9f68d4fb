"""Weights of int4 of two filters in the halves of a word: conv_2d and fully_connected for cores without DSP.

A product of such a word's tap with an input serves two filters, so these are faster than their likes of int8, in half
the bytes. See te_int4_lanes.h.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core, Isa
from tinyedge.kernels.common import storage
from tinyedge.kernels.common.pace import by_isa
from tinyedge.kernels.contract import Kernel, Storage
from tinyedge.kernels.portable import conv_2d_blocks, fully_connected_blocks
from tinyedge.kernels.portable.conv_2d_blocks import PIXELS, Conv2DBlocks, Layout, blocks_of_channels, find_layout
from tinyedge.kernels.portable.fully_connected_blocks import OUTPUTS, FullyConnectedBlocks
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D
from tinyedge.ops.fully_connected import FullyConnected

TAPS_IN_WORD = 4
TAPS_IN_LANES = 16
"""products that are added up before both filters' sums are taken apart"""


def pack_lanes(blocks: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
    """Weights [blocks, 4 filters, taps] -> bytes of words [blocks, taps / 4, 2].

    >>> pack_lanes(np.array([[[1, -8, 7, 0], [0, 0, 0, -1], [0] * 4, [0] * 4]], np.int8)).view(np.uint32).tolist()
    [2022215433, 2290649224]
    """
    digits = (blocks.astype(np.int64) + 8).reshape(len(blocks), 2, 2, -1, TAPS_IN_WORD)  # pair, half, word, tap
    halves = (digits << (4 * np.arange(TAPS_IN_WORD))).sum(axis=-1)
    words = (halves[:, :, 0] | halves[:, :, 1] << 16).transpose(0, 2, 1)
    return np.ascontiguousarray(words).astype("<u4").reshape(-1).view(np.int8)


@dataclass(frozen=True)
class LaneRates:
    """Cycles of what kernels of int8 have not: taking sums apart, for a block; adding up an input."""

    apart: float
    added: float


class Conv2DInt4(Conv2DBlocks):
    """int8 convolutions without groups, of four or more output channels, with weights from -8 to 7."""

    name = "portable/conv_2d_int4"
    stem = "te_conv_2d_blocks_int4"
    channels = 4
    weight_bits = 4
    rates = by_isa(
        armv6m=conv_2d_blocks.Rates(1470, 42.8, 102.6, 51.4, 93.9, 203.6, 55.2, 59.2, 6.7),
        armv7m=conv_2d_blocks.Rates(1454, 17.2, 76.3, 30.9, 35.8, 176.2, 41.1, 55.8, 1.0),
        dsp=conv_2d_blocks.Rates(1460, 13.2, 78.6, 31.2, 32.6, 175.5, 43.1, 55.5, 1.1),
        rv32=conv_2d_blocks.Rates(1558, 15.6, 50.8, 27.4, 44.8, 116.1, 55.6, 34.9, 4.1),
    )
    lanes: ClassVar[Mapping[Isa, LaneRates]] = by_isa(
        armv6m=LaneRates(86.6, 6.1), armv7m=LaneRates(43.2, 4.8), dsp=LaneRates(41.6, 4.8), rv32=LaneRates(48.3, 3.7)
    )

    def fits(self, layer: Layer, core: Core) -> str:
        return storage.range_reason(layer.params.weights, 4) or super().fits(layer, core)

    def _pack(self, p: Conv2D, layout: Layout) -> npt.NDArray[np.int8]:
        taps = p.weights.reshape(p.output_channels, -1)
        filled = np.pad(taps, ((0, 0), (0, layout.read.taps - taps.shape[1])))
        return pack_lanes(filled[blocks_of_channels(p.output_channels, self.channels)])

    def _pair_cycles(self, layout: Layout, blocks: int, core: Core) -> float:
        read, rate = layout.read, self.lanes[core.isa]
        apart = read.rows * read.per_row * -(-read.bytes // TAPS_IN_LANES)
        return blocks * apart * rate.apart + PIXELS * read.taps * rate.added

    def _storage(self, p: Conv2D) -> Storage:
        blocks = -(-p.output_channels // self.channels)
        return Storage("int4", blocks * self.channels * find_layout(p).read.taps // 2, p.weights.size)


class FullyConnectedInt4(FullyConnectedBlocks):
    """int8 fully connected layers of four or more outputs, with weights from -8 to 7."""

    name = "portable/fully_connected_int4"
    stem = "te_fully_connected_int4"
    weight_bits = 4
    rates = by_isa(
        armv6m=fully_connected_blocks.Rates(494, 15.6, 111.6, 36.4),
        armv7m=fully_connected_blocks.Rates(460, 7.1, 57.1, 16.8),
        dsp=fully_connected_blocks.Rates(464, 5.1, 54.1, 16.8),
        rv32=fully_connected_blocks.Rates(598, 8.3, 63.5, 20.9),
    )
    lanes: ClassVar[Mapping[Isa, LaneRates]] = by_isa(
        armv6m=LaneRates(114.6, 6.6), armv7m=LaneRates(74.9, 5.3), dsp=LaneRates(74.7, 5.3), rv32=LaneRates(85.0, 4.0)
    )

    def fits(self, layer: Layer, core: Core) -> str:
        p: FullyConnected = layer.params
        return storage.range_reason(p.weights, 4) or super().fits(layer, core)

    def _pack(self, p: FullyConnected) -> npt.NDArray[np.int8]:
        return pack_lanes(p.weights[blocks_of_channels(p.outputs, OUTPUTS)])

    def _batch_cycles(self, p: FullyConnected, blocks: int, core: Core) -> float:
        rate = self.lanes[core.isa]
        return blocks * -(-p.inputs // TAPS_IN_LANES) * rate.apart + p.inputs * rate.added

    def _storage(self, p: FullyConnected) -> Storage:
        blocks = -(-p.outputs // OUTPUTS)
        return Storage("int4", blocks * OUTPUTS * p.inputs // 2, p.weights.size)


KERNELS: tuple[Kernel, ...] = (Conv2DInt4(), FullyConnectedInt4())
