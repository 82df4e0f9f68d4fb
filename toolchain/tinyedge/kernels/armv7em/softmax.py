"""softmax on int8 with a table of exponentials: gemmlowp's fixed point, three times as fast for up to 1 KB."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.graph.ir import Array
from tinyedge.kernels.armv7em import rounding
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.common.fixed_point import FIXED_POINT
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.softmax import Softmax, exponentials

STEM = "te_softmax_table_s8"
CODE_BYTES = 200
LAYER_CODE_BYTES = 20
PARAMS_BYTES = 12
TICKS, ROW_TICKS, VALUE_TICKS = 40, 140, 48


def nonzero_exponentials(p: Softmax) -> Array:
    """exp of differences 0, 1, ... to the maximum in Q0.31, up to the last that is not 0."""
    table, _ = exponentials(p)
    return table[: int(np.flatnonzero(table)[-1]) + 1].astype(np.int32)


class SoftmaxTable(Kernel):
    """int8 softmax over the last axis."""

    name = "armv7em/softmax_table"
    operators: ClassVar[tuple[str, ...]] = ("softmax",)

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := rounding.runs_on(layer, core):
            return reason
        p: Softmax = layer.params
        return checks.sizes((p.rows, p.depth))

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Softmax = layer.params
        cycles = TICKS + p.rows * (ROW_TICKS + VALUE_TICKS * p.depth)
        constants = PARAMS_BYTES + 4 * len(nonzero_exponentials(p))
        return Cost(cycles, LAYER_CODE_BYTES, constants, ((STEM, CODE_BYTES), FIXED_POINT))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0: maximum and sum of a row are known before its first value is replaced."""
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Softmax = layer.params
        prefix = operands.prefix
        values = nonzero_exponentials(p)
        table = Constant(f"{prefix}_exponentials", "int32_t", values, 4, "exp of differences to the maximum, Q0.31")
        members: dict[str, Value] = {"rows": p.rows, "depth": p.depth, "count": len(values), "exponentials": table.name}
        struct = params_struct("te_softmax_table_params", f"{prefix}_params", members)
        call = f"{STEM}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), constants=(table,), functions=struct, runtime=(STEM, "te_fixed_point"))


KERNELS: tuple[Kernel, ...] = (SoftmaxTable(),)
