"""Pooling by a C function that takes te_pool_2d's parameters: what such kernels share on all cores."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.boards import Core
from tinyedge.graph.ir import DType
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import params_struct, window_members
from tinyedge.kernels.common.overlap import channelwise_in_place
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.pool_2d import Pool2D

LAYER_CODE_BYTES = 20
PARAMS_BYTES = 28


class Pool2DInC(Kernel):
    """A pooling by a function in C; kernels differ in the function, its size and its speed."""

    dtype: ClassVar[DType] = DType.INT8
    channels_at_once: ClassVar[int] = 4
    stem: ClassVar[str]
    struct: ClassVar[str]
    code: ClassVar[int]
    cycles_per_cell: ClassVar[float]
    cycles_per_output: ClassVar[float]

    def fits(self, layer: Layer, core: Core) -> str:
        p: Pool2D = layer.params
        cells = p.window.input_h * p.window.input_w * p.channels
        if p.dtype is not self.dtype:
            return f"its tensors are {p.dtype.value}, the kernel pools {self.dtype.value}"
        if (p.window.dilation_h, p.window.dilation_w) != (1, 1):
            return "the window is dilated"
        return checks.one_image(layer, cells) or checks.window_sizes(p.window) or checks.sizes((p.channels,))

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Pool2D = layer.params
        outputs = p.window.output_h * p.window.output_w * p.channels
        cells = outputs * p.window.kernel_h * p.window.kernel_w
        cycles = int(self.cycles_per_cell * cells + self.cycles_per_output * outputs)
        return Cost(cycles, LAYER_CODE_BYTES, PARAMS_BYTES, ((self.stem, self.code),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        p: Pool2D = layer.params
        return channelwise_in_place(p.window, p.channels, self.channels_at_once) * p.dtype.bytes

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Pool2D = layer.params
        name = f"{operands.prefix}_params"
        struct = params_struct(
            self.struct,
            name,
            {
                "window": window_members(p.window),
                "channels": p.channels,
                "activation_min": p.activation_min,
                "activation_max": p.activation_max,
            },
        )
        call = f"{self.stem}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), functions=struct, runtime=(self.stem,))
