"""logistic and tanh of int16, by interpolating in a table of the logistic function."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.arithmetic.sigmoid_s16 import logistic_table
from tinyedge.boards import Core
from tinyedge.kernels.common.c_text import params_struct
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.sigmoid import SigmoidS16

LAYER_CODE_BYTES = 20
PARAMS_BYTES = 12
CYCLES_PER_VALUE = 27


class _PortableSigmoidS16(Kernel):
    stem: ClassVar[str]

    def fits(self, layer: Layer, core: Core) -> str:
        return "" if isinstance(layer.params, SigmoidS16) else "its tensors are int8, the kernel computes in int16"

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: SigmoidS16 = layer.params
        constants = PARAMS_BYTES + logistic_table().nbytes
        return Cost(CYCLES_PER_VALUE * p.elements, LAYER_CODE_BYTES, constants, ((self.stem, 128),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: SigmoidS16 = layer.params
        name = f"{operands.prefix}_params"
        table = Constant(f"{operands.prefix}_table", "uint16_t", logistic_table(), 4, "logistic function of i/24")
        struct = params_struct(
            "te_sigmoid_params",
            name,
            {
                "table": table.name,
                "elements": p.elements,
                "multiplier": p.multiplier,
                "left_shift": p.left_shift,
            },
        )
        call = f"{self.stem}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), constants=(table,), functions=struct, runtime=(self.stem,))


class PortableLogisticS16(_PortableSigmoidS16):
    """The logistic function of int16."""

    name = "portable/logistic_s16"
    operators: ClassVar[tuple[str, ...]] = ("logistic",)
    stem = "te_logistic_s16"


class PortableTanhS16(_PortableSigmoidS16):
    """The hyperbolic tangent of int16."""

    name = "portable/tanh_s16"
    operators: ClassVar[tuple[str, ...]] = ("tanh",)
    stem = "te_tanh_s16"


KERNELS: tuple[Kernel, ...] = (PortableLogisticS16(), PortableTanhS16())
