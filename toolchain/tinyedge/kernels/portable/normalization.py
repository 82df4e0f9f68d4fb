"""l2_normalization and log_softmax: rows along the last axis."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.boards import Core
from tinyedge.kernels.common.c_text import params_struct
from tinyedge.kernels.common.fixed_point import FIXED_POINT
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.l2_normalization import L2Normalization
from tinyedge.ops.log_softmax import LogSoftmax

LAYER_CODE_BYTES = 20


class PortableL2Normalization(Kernel):
    """int8 rows divided by their norms."""

    name = "portable/l2_normalization"
    operators: ClassVar[tuple[str, ...]] = ("l2_normalization",)
    stem = "te_l2_normalization_s8"

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: L2Normalization = layer.params
        return Cost(p.rows * (380 + 36 * p.depth), LAYER_CODE_BYTES, 8, ((self.stem, 402),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0: the norm of a row is known before its first value is replaced."""
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: L2Normalization = layer.params
        name = f"{operands.prefix}_params"
        members = {"rows": p.rows, "depth": p.depth, "zero_point": p.zero_point}
        struct = params_struct("te_l2_normalization_params", name, members)
        call = f"{self.stem}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), functions=struct, runtime=(self.stem,))


class PortableLogSoftmax(Kernel):
    """int8 logarithms of softmax, exponentials tabulated."""

    name = "portable/log_softmax"
    operators: ClassVar[tuple[str, ...]] = ("log_softmax",)
    stem = "te_log_softmax_s8"

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: LogSoftmax = layer.params
        shared = ((self.stem, 746), FIXED_POINT)
        return Cost(p.rows * (800 + 62 * p.depth), LAYER_CODE_BYTES, 28 + p.exponentials.nbytes, shared)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0: maximum and sum of a row are known before its first value is replaced."""
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: LogSoftmax = layer.params
        name = f"{operands.prefix}_params"
        table = Constant(f"{operands.prefix}_exponentials", "int32_t", p.exponentials, 4, "exp of 0, -1, ..., Q12.19")
        struct = params_struct(
            "te_log_softmax_params",
            name,
            {
                "rows": p.rows,
                "depth": p.depth,
                "exponential_count": len(p.exponentials),
                "exponentials": table.name,
                "multiplier": p.multiplier,
                "reverse_multiplier": p.reverse_multiplier,
                # Differences end at -255; a smaller bound says the same.
                "diff_min": max(p.diff_min, -256),
                "left_shift": p.left_shift,
                "reverse_shift": p.reverse_shift,
            },
        )
        call = f"{self.stem}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), constants=(table,), functions=struct, runtime=(self.stem, FIXED_POINT[0]))


KERNELS: tuple[Kernel, ...] = (PortableL2Normalization(), PortableLogSoftmax())
