"""Functions of one int16 value that are straight on either side of zero, through te_piecewise_s16."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.arithmetic import piecewise_s16
from tinyedge.arithmetic.piecewise_s16 import PiecewiseS16
from tinyedge.boards import Core
from tinyedge.kernels.common.c_text import params_struct
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer

STEM = "te_piecewise_s16"
CODE_BYTES = 140
LAYER_CODE_BYTES = 20
PARAMS_BYTES = 28
CYCLES_PER_OUTPUT = 30


class PortablePiecewiseS16(Kernel):
    """relu, leaky_relu and their like in int16."""

    name = "portable/piecewise_s16"
    operators: ClassVar[tuple[str, ...]] = tuple(piecewise_s16.MAKERS)

    def fits(self, layer: Layer, core: Core) -> str:
        return "" if isinstance(layer.params, PiecewiseS16) else "its tensors are int8, the kernel computes in int16"

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: PiecewiseS16 = layer.params
        return Cost(CYCLES_PER_OUTPUT * p.elements, LAYER_CODE_BYTES, PARAMS_BYTES, ((STEM, CODE_BYTES),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: PiecewiseS16 = layer.params
        name = f"{operands.prefix}_params"
        struct = params_struct(
            f"{STEM}_params",
            name,
            {
                "elements": p.elements,
                "above": {"multiplier": p.multiplier, "shift": p.shift},
                "below": {"multiplier": p.negative_multiplier, "shift": p.negative_shift},
                "sign_before": p.sign_before,
                "sign_after": p.sign_after,
                "min": p.low,
                "max": p.high,
            },
        )
        call = f"{STEM}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), functions=struct, runtime=(STEM,))


KERNELS: tuple[Kernel, ...] = (PortablePiecewiseS16(),)
