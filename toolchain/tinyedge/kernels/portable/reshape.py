"""reshape, squeeze, expand_dims: a copy, which is nothing when input and output share memory."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.boards import Core
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.reshape import Reshape

STEM = "te_copy"
LAYER_CODE_BYTES = 16


class PortableReshape(Kernel):
    """Tensors of any type."""

    name = "portable/reshape"
    operators: ClassVar[tuple[str, ...]] = ("reshape", "squeeze", "expand_dims")

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Reshape = layer.params
        return Cost(10 + p.bytes, LAYER_CODE_BYTES, 0)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0: the copy allows overlap, and does nothing at the same address."""
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Reshape = layer.params
        call = f"te_copy({operands.outputs[0]}, {operands.inputs[0]}, {p.bytes});"
        return Code(call=(call,), runtime=(STEM,))


KERNELS: tuple[Kernel, ...] = (PortableReshape(),)
