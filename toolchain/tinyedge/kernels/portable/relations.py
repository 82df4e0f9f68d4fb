"""maximum, minimum, comparisons, logical operators and select_v2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tinyedge.boards import Core
from tinyedge.graph.ir import DType
from tinyedge.kernels.common.c_text import Value
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.kernels.portable.elementwise import LAYER_CODE_BYTES, ElementwiseKernel, scaled_operand, suffix
from tinyedge.ops import comparisons
from tinyedge.ops.comparisons import Comparison
from tinyedge.ops.contract import Layer
from tinyedge.ops.logical import Logical, LogicalNot
from tinyedge.ops.maximum_minimum import Extremum
from tinyedge.ops.select_v2 import Select


class _PortableExtremum(ElementwiseKernel):
    code = 100
    cycles_per_output = 15

    def function(self, params: Extremum) -> str:
        return f"{self.stem}_{suffix(params.dtype)}"


class PortableMaximum(_PortableExtremum):
    """The larger of two int8, int16 or int32."""

    name = "portable/maximum"
    operators: ClassVar[tuple[str, ...]] = ("maximum",)
    stem = "te_maximum"


class PortableMinimum(_PortableExtremum):
    """The smaller of two int8, int16 or int32."""

    name = "portable/minimum"
    operators: ClassVar[tuple[str, ...]] = ("minimum",)
    stem = "te_minimum"


class PortableCompare(ElementwiseKernel):
    """Comparisons of int8, int32 and bool."""

    name = "portable/compare"
    operators: ClassVar[tuple[str, ...]] = tuple(spec.name for spec in comparisons.SPECS)
    stem = "te_compare"
    struct = "te_compare_params"
    code = 268
    params_bytes = 20
    cycles_per_output = 57

    def function(self, params: Comparison) -> str:
        return f"te_compare_{suffix(params.dtype)}"

    def members(self, params: Comparison) -> Mapping[str, Value]:
        p = params
        outcomes = {"LESS": p.when_less, "EQUAL": p.when_equal, "GREATER": p.when_greater}
        when: dict[str, Value] = {"when": " + ".join(f"TE_WHEN_{word}" for word, holds in outcomes.items() if holds)}
        if p.operands is None:
            return when
        operands = {f"operands[{index}]": scaled_operand(operand) for index, operand in enumerate(p.operands)}
        return {**operands, **when, "left_shift": p.left_shift}


class PortableLogical(ElementwiseKernel):
    """And, or of bool."""

    name = "portable/logical"
    operators: ClassVar[tuple[str, ...]] = ("logical_and", "logical_or")
    stem = "te_logical"
    code = 98
    cycles_per_output = 11

    def function(self, params: Logical) -> str:
        return "te_logical_and" if params.both else "te_logical_or"


class PortableLogicalNot(Kernel):
    """Not of bool."""

    name = "portable/logical_not"
    operators: ClassVar[tuple[str, ...]] = ("logical_not",)

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: LogicalNot = layer.params
        return Cost(8 * p.elements, LAYER_CODE_BYTES, 0, (("te_logical_not", 28),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: LogicalNot = layer.params
        call = f"te_logical_not({operands.inputs[0]}, {operands.outputs[0]}, {p.elements});"
        return Code(call=(call,), runtime=("te_logical_not",))


class PortableSelect(ElementwiseKernel):
    """One of two int8, int16 or float32, as a condition says."""

    name = "portable/select"
    operators: ClassVar[tuple[str, ...]] = ("select_v2", "select_v2_f32")
    stem = "te_select"
    code = 110
    cycles_per_output = 20

    def function(self, params: Select) -> str:
        return "te_select_f32" if params.dtype is DType.FLOAT32 else f"te_select_{suffix(params.dtype)}"


KERNELS: tuple[Kernel, ...] = (
    PortableMaximum(),
    PortableMinimum(),
    PortableCompare(),
    PortableLogical(),
    PortableLogicalNot(),
    PortableSelect(),
)
