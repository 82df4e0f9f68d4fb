"""How wide a network may be on a board: what it holds, multiplies and keeps at once, worked out before it is built."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinyedge.boards import Board, Isa

WIDTHS = (1.0, 0.75, 0.5, 0.25)
_SHARE = 4
"""a network may take one part in so many of flash and of RAM: the rest is the product's"""
_LONGEST_S = 0.1
"""that an inference may take"""
_CYCLES = {
    Isa.ARMV6M: 4.5, Isa.ARMV7M: 5.3, Isa.ARMV7EM: 1.5, Isa.ARMV8M_DSP: 1.5, Isa.ARMV81M: 0.3, Isa.RV32IMC: 5.1
}  # fmt: skip
"""cycles for each multiplication, of keyword spotting with `balanced` (README.md)"""


@dataclass(frozen=True)
class Layer:
    """A convolution, or a dense layer with one place.

    height, width  of what comes out
    kernel         height and width
    """

    height: int
    width: int
    inputs: int
    outputs: int
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)

    @property
    def weights(self) -> int:
        return self.inputs * self.outputs * math.prod(self.kernel) + 4 * self.outputs

    @property
    def macs(self) -> int:
        return self.height * self.width * self.inputs * self.outputs * math.prod(self.kernel)

    @property
    def live_bytes(self) -> int:
        """What comes in and what goes out, in int8."""
        before = self.height * self.stride[0] * self.width * self.stride[1] * self.inputs
        return before + self.height * self.width * self.outputs


@dataclass(frozen=True)
class Size:
    """Of a network: weights, multiplications and the most it keeps at once."""

    weights: int
    macs: int
    live_bytes: int

    @classmethod
    def of(cls, layers: Sequence[Layer]) -> Size:
        return cls(
            sum(layer.weights for layer in layers),
            sum(layer.macs for layer in layers),
            max(layer.live_bytes for layer in layers),
        )


def chain(
    height: int, width: int, channels: int, steps: Sequence[tuple[int, tuple[int, int], tuple[int, int]]], classes: int
) -> list[Layer]:
    """Convolutions one behind the other, each (outputs, kernel, stride) with padding; then a mean and a dense layer.

    >>> [(layer.height, layer.width) for layer in chain(28, 28, 1, [(8, (3, 3), (2, 2)), (8, (3, 3), (2, 2))], 10)]
    [(14, 14), (7, 7), (1, 1)]
    """
    layers = []
    for outputs, kernel, stride in steps:
        height, width = math.ceil(height / stride[0]), math.ceil(width / stride[1])
        layers.append(Layer(height, width, channels, outputs, kernel, stride))
        channels = outputs
    return [*layers, Layer(1, 1, channels, classes)]


def scaled(channels: int, width: float) -> int:
    """A number of channels at a width: a multiple of 4, which kernels take at once.

    >>> scaled(24, 1.0), scaled(24, 0.75), scaled(24, 0.25)
    (24, 20, 8)
    """
    return max(4, 4 * math.ceil(channels * width / 4))


def fit_width(layers_at: Callable[[float], Sequence[Layer]], board: Board) -> tuple[float, str]:
    """The largest width whose network leaves most of a board free, and why.

    layers_at  the layers of the network at a width
    """
    sizes = {width: Size.of(layers_at(width)) for width in WIDTHS}
    fitting = [width for width, size in sizes.items() if _fits(size, board)]
    width = fitting[0] if fitting else WIDTHS[-1]
    size = sizes[width]
    told = (
        f"{size.weights:,} weights, {size.macs:,} multiplications and about {size.live_bytes:,} B kept at once; "
        f"`{board.name}` has {board.flash.size_bytes:,} B of flash, {board.ram.size_bytes:,} B of RAM"
        if board.memories
        else f"{size.weights:,} weights and {size.macs:,} multiplications"
    )
    narrowed = "" if width == WIDTHS[0] else f", so the layers have {width:g} of their full width"
    if not fitting:
        narrowed += f", and it still takes more than a quarter of the memory, or {1000 * _LONGEST_S:g} ms"
    return width, f"{told}{narrowed} (predicted: `tinyedge run` measures)"


def _fits(size: Size, board: Board) -> bool:
    cycles = _CYCLES.get(board.core.isa)
    if not board.memories or cycles is None:
        return True
    return (
        size.weights <= board.flash.size_bytes / _SHARE
        and size.live_bytes <= board.ram.size_bytes / _SHARE
        and size.macs * cycles <= board.clock_hz * _LONGEST_S
    )
