"""softmax: int8, to int8 or int16, in gemmlowp's fixed point, exponentials computed on the device; int16 by tables."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.arithmetic.softmax_s16 import exp_table, reciprocal_table
from tinyedge.boards import Core
from tinyedge.graph.ir import DType
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import params_struct
from tinyedge.kernels.common.fixed_point import FIXED_POINT
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.softmax import Softmax, SoftmaxS16

LAYER_CODE_BYTES = 20
PARAMS_BYTES = 12
CYCLES_PER_VALUE = 340
CYCLES_PER_ROW = 300


class _PortableSoftmax(Kernel):
    operators: ClassVar[tuple[str, ...]] = ("softmax",)
    stem: ClassVar[str]
    code_bytes: ClassVar[int]
    output_dtype: ClassVar[DType]

    def fits(self, layer: Layer, core: Core) -> str:
        p = layer.params
        if not isinstance(p, Softmax) or p.output_dtype is not self.output_dtype:
            return f"the kernel goes from int8 to {self.output_dtype.value}"
        return checks.sizes((p.rows, p.depth))

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Softmax = layer.params
        cycles = p.rows * (CYCLES_PER_ROW + CYCLES_PER_VALUE * p.depth)
        return Cost(cycles, LAYER_CODE_BYTES, PARAMS_BYTES, ((self.stem, self.code_bytes), FIXED_POINT))

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
        call = f"{self.stem}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), functions=struct, runtime=(self.stem, FIXED_POINT[0]))


class PortableSoftmax(_PortableSoftmax):
    """int8 softmax over the last axis."""

    name = "portable/softmax"
    stem = "te_softmax_s8"
    code_bytes = 610
    output_dtype = DType.INT8

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0: maximum and sum of a row are known before its first value is replaced."""
        return 0


class PortableSoftmaxS8S16(_PortableSoftmax):
    """Softmax over the last axis from int8 to int16."""

    name = "portable/softmax_s8_s16"
    stem = "te_softmax_s8_s16"
    code_bytes = 600
    output_dtype = DType.INT16


class PortableSoftmaxS16(Kernel):
    """int16 softmax over the last axis."""

    name = "portable/softmax_s16"
    operators: ClassVar[tuple[str, ...]] = ("softmax",)
    stem = "te_softmax_s16"

    def fits(self, layer: Layer, core: Core) -> str:
        return "" if isinstance(layer.params, SoftmaxS16) else "its tensors are int8, the kernel computes in int16"

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: SoftmaxS16 = layer.params
        constants = 24 + exp_table().nbytes + reciprocal_table().nbytes
        return Cost(p.rows * (300 + 64 * p.depth), LAYER_CODE_BYTES, constants, ((self.stem, 406), FIXED_POINT))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0: a row's exponentials replace its values one by one, after the maximum is known."""
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: SoftmaxS16 = layer.params
        name = f"{operands.prefix}_params"
        tables = (
            Constant(f"{operands.prefix}_exponential", "int16_t", exp_table(), 4, "exp from -10 to 0, Q0.15"),
            Constant(f"{operands.prefix}_reciprocal", "int16_t", reciprocal_table(), 4, "1 / (1 + x), Q0.15"),
        )
        struct = params_struct(
            "te_softmax_s16_params",
            name,
            {
                "exponential": tables[0].name,
                "reciprocal": tables[1].name,
                "rows": p.rows,
                "depth": p.depth,
                "shift": p.shift,
                "multiplier": p.multiplier,
            },
        )
        call = f"{self.stem}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), constants=tables, functions=struct, runtime=(self.stem, FIXED_POINT[0]))


KERNELS: tuple[Kernel, ...] = (PortableSoftmax(), PortableSoftmaxS8S16(), PortableSoftmaxS16())
