"""max_pool_2d and average_pool_2d with Helium, in C with intrinsics: sixteen or eight channels at a time."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.boards import Core
from tinyedge.kernels.armv81m.conv_2d import helium_reason
from tinyedge.kernels.common.pool_2d import LAYER_CODE_BYTES, PARAMS_BYTES, Pool2DInC
from tinyedge.kernels.contract import Cost, Kernel
from tinyedge.ops.contract import Layer
from tinyedge.ops.pool_2d import Pool2D

MOST_CELLS = 256
"""whose sum has 16 bits"""
CALL_INSTRUCTIONS = 60


class _Helium(Pool2DInC):
    """What both share: their cost is that of each pixel, vector of channels, and cell of a window."""

    pixel: ClassVar[int]
    vector: ClassVar[int]
    row: ClassVar[int]
    cell: ClassVar[int]

    def fits(self, layer: Layer, core: Core) -> str:
        return helium_reason(layer, core) or super().fits(layer, core)

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Pool2D = layer.params
        w = p.window
        vectors = -(-p.channels // self.channels_at_once)
        each = self.vector + w.kernel_h * (self.row + w.kernel_w * self.cell)
        cycles = CALL_INSTRUCTIONS + w.output_h * w.output_w * (self.pixel + vectors * each)
        return Cost(cycles, LAYER_CODE_BYTES, PARAMS_BYTES, ((self.stem, self.code),))


class MaxPool2DHelium(_Helium):
    """Any int8 max pooling."""

    name = "armv81m/max_pool_2d"
    operators: ClassVar[tuple[str, ...]] = ("max_pool_2d",)
    channels_at_once = 16
    stem = "te_max_pool_2d_mve"
    struct = "te_max_pool_2d_params"
    code = 380
    pixel, vector, row, cell = 27, 28, 8, 4


class AveragePool2DHelium(_Helium):
    """int8 average pooling of up to 256 cells."""

    name = "armv81m/average_pool_2d"
    operators: ClassVar[tuple[str, ...]] = ("average_pool_2d",)
    channels_at_once = 8
    stem = "te_average_pool_2d_mve"
    struct = "te_average_pool_2d_params"
    code = 480
    pixel, vector, row, cell = 42, 40, 9, 4

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := super().fits(layer, core):
            return reason
        cells = layer.params.window.kernel_h * layer.params.window.kernel_w
        return f"windows of {cells} cells are more than the {MOST_CELLS} it sums" if cells > MOST_CELLS else ""


KERNELS: tuple[Kernel, ...] = (AveragePool2DHelium(), MaxPool2DHelium())
