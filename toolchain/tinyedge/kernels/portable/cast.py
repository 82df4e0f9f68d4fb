"""cast through te_cast: any integer type to any other."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.boards import Core
from tinyedge.graph.ir import DType
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.kernels.portable.requantize import ELEMENT_TYPES, converting_in_place
from tinyedge.ops.cast import Cast
from tinyedge.ops.contract import Layer

STEM = "te_cast"
CODE_BYTES = 170
LAYER_CODE_BYTES = 20
PARAMS_BYTES = 8
CYCLES_PER_ELEMENT = 28
CYCLES_PER_WORD = 7
"""copied, from 32 bits to 32 bits"""
TYPES = {**ELEMENT_TYPES, DType.UINT32: "TE_S32", DType.BOOL: "TE_U8"}
"""bits beyond those of the output are cut off, so a uint32 is as good as an int32"""


class PortableCast(Kernel):
    """int8, int16, int32, uint32 or bool to int8, int16, int32 or uint32."""

    name = "portable/cast"
    operators: ClassVar[tuple[str, ...]] = ("cast",)

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Cast = layer.params
        is_copied = TYPES[p.input_dtype] == TYPES[p.output_dtype] == "TE_S32"
        cycles = CYCLES_PER_WORD if is_copied else CYCLES_PER_ELEMENT
        return Cost(cycles * p.elements, LAYER_CODE_BYTES, PARAMS_BYTES, ((STEM, CODE_BYTES),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return converting_in_place(layer)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Cast = layer.params
        name = f"{operands.prefix}_params"
        members: dict[str, Value] = {
            "elements": p.elements,
            "input_type": TYPES[p.input_dtype],
            "output_type": TYPES[p.output_dtype],
        }
        struct = params_struct("te_cast_params", name, members)
        call = f"{STEM}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), functions=struct, runtime=(STEM,))


KERNELS: tuple[Kernel, ...] = (PortableCast(),)
