"""softmax through te_softmax_s8: gemmlowp's fixed point, exponentials computed on the device."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.boards import Core
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.kernels.portable import checks
from tinyedge.kernels.portable.arithmetic import FIXED_POINT
from tinyedge.kernels.portable.c_text import params_struct
from tinyedge.ops.contract import Layer
from tinyedge.ops.softmax import Softmax

STEM = "te_softmax_s8"
CODE_BYTES = 470
LAYER_CODE_BYTES = 20
PARAMS_BYTES = 12
CYCLES_PER_VALUE = 340
CYCLES_PER_ROW = 300


class PortableSoftmax(Kernel):
    """int8 softmax over the last axis."""

    name = "portable/softmax"
    operators: ClassVar[tuple[str, ...]] = ("softmax",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: Softmax = layer.params
        return checks.int8_tensors(layer) or checks.sizes((p.rows, p.depth))

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Softmax = layer.params
        cycles = p.rows * (CYCLES_PER_ROW + CYCLES_PER_VALUE * p.depth)
        return Cost(cycles, LAYER_CODE_BYTES, PARAMS_BYTES, ((STEM, CODE_BYTES), FIXED_POINT))

    def lead_bytes(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0: maximum and sum of a row are known before its first value is replaced."""
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Softmax = layer.params
        name = f"{operands.prefix}_params"
        struct = params_struct(
            "te_softmax_params",
            name,
            {
                "rows": p.rows,
                "depth": p.depth,
                "multiplier": p.input_multiplier,
                "left_shift": p.input_left_shift,
                # Differences end at -255; a smaller bound says the same.
                "diff_min": max(p.diff_min, -256),
            },
        )
        call = f"{STEM}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), functions=struct, runtime=(STEM, "te_fixed_point"))


KERNELS: tuple[Kernel, ...] = (PortableSoftmax(),)
