"""What islands compute in float32: functions of one and of two elements, and tables of results in float32."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar

from tinyedge.arithmetic.float_functions import activation_limits
from tinyedge.boards import Core
from tinyedge.graph.ir import DType
from tinyedge.kernels.common.c_text import Value
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.kernels.portable.elementwise import ElementwiseKernel
from tinyedge.kernels.portable.requantize import converting_in_place, float_literal
from tinyedge.ops.contract import Layer
from tinyedge.ops.elementwise_f32 import SUFFIX, ElementwiseF32
from tinyedge.ops.lookup import Lookup

LAYER_CODE_BYTES = 24
WITHOUT_FPU = 8
"""times the cycles on a core that computes float32 in software"""

_PAIRS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "add": (19, 150),
        "div": (32, 150),
        "maximum": (15, 130),
        "minimum": (15, 130),
        "mul": (19, 150),
        "prelu": (16, 130),
        "squared_difference": (16, 130),
        "sub": (19, 150),
    }
)
"""cycles per output with an FPU, and bytes of code"""

_SINGLES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "abs": (9, 40),
        "ceil": (22, 110),
        "floor": (22, 110),
        "hard_swish": (34, 80),
        "leaky_relu": (11, 50),
        "neg": (8, 30),
        "relu": (10, 40),
        "relu6": (13, 60),
        "round": (26, 130),
        "rsqrt": (265, 190),
        "sqrt": (250, 170),
        "square": (8, 30),
    }
)
"""likewise"""


def _in_float32(cost: Cost, per_output: int, layer: Layer, core: Core) -> Cost:
    """The cost with the cycles of the function itself, on this core."""
    cycles = per_output * layer.outputs[0].elements * (1 if core.fpu else WITHOUT_FPU)
    return replace(cost, cycles=cost.cycles + cycles)


class PortablePairsF32(ElementwiseKernel):
    """Functions of two elements."""

    name = "portable/pairs_f32"
    operators: ClassVar[tuple[str, ...]] = tuple(name + SUFFIX for name in _PAIRS)
    struct = "te_pairs_f32_params"
    stem = "te_pairs_f32"
    code = 0
    """each function is counted with its layer, as those that no layer calls are left out"""
    cycles_per_output = 0
    params_bytes = 8

    def cost(self, layer: Layer, core: Core) -> Cost:
        cycles, code = _PAIRS[layer.params.function]
        cost = super().cost(layer, core)
        return _in_float32(replace(cost, code_bytes=cost.code_bytes + code), cycles, layer, core)

    def function(self, params: ElementwiseF32) -> str:
        return f"te_{params.function}{SUFFIX}"

    def members(self, params: ElementwiseF32) -> Mapping[str, Value]:
        low, high = activation_limits(params.options.get("fused_activation_function", "none"))
        return {"min": float_literal(float(low)), "max": float_literal(float(high))}


class PortableSinglesF32(Kernel):
    """Functions of one element."""

    name = "portable/singles_f32"
    operators: ClassVar[tuple[str, ...]] = tuple(name + SUFFIX for name in _SINGLES)
    stem = "te_singles_f32"

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        cycles, code = _SINGLES[layer.params.function]
        return _in_float32(Cost(0, LAYER_CODE_BYTES + code, 0, ((self.stem, 0),)), cycles, layer, core)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: ElementwiseF32 = layer.params
        first = f"{float_literal(p.options['alpha'])}, " if p.function == "leaky_relu" else ""
        pointers = f"{operands.inputs[0]}, {operands.outputs[0]}"
        call = f"te_{p.function}{SUFFIX}({first}{pointers}, {layer.outputs[0].elements});"
        return Code(call=(call,), runtime=(self.stem,))


class PortableLookupF32(Kernel):
    """Any function of one int8 value with a result in float32."""

    name = "portable/lookup_f32"
    operators: ClassVar[tuple[str, ...]] = ("island",)
    stem = "te_lookup_f32"

    def fits(self, layer: Layer, core: Core) -> str:
        return "" if layer.outputs[0].dtype is DType.FLOAT32 else "its results are int8"

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Lookup = layer.params
        return Cost(10 * p.elements, LAYER_CODE_BYTES, 4 * 256, ((self.stem, 30),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return converting_in_place(layer)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Lookup = layer.params
        table = Constant(f"{operands.prefix}_table", "float", p.table, 4, "results of -128..127")
        call = f"{self.stem}({table.name}, {operands.inputs[0]}, {operands.outputs[0]}, {p.elements});"
        return Code(call=(call,), constants=(table,), runtime=(self.stem,))


KERNELS: tuple[Kernel, ...] = (PortablePairsF32(), PortableSinglesF32(), PortableLookupF32())
