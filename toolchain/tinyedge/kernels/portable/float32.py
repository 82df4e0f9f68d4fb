"""What islands compute in float32: functions of one and of two elements, tables, reductions, fully_connected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from tinyedge.arithmetic.float_functions import activation_limits
from tinyedge.boards import Core
from tinyedge.graph.ir import DType
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.kernels.portable.elementwise import ElementwiseKernel
from tinyedge.kernels.portable.reductions import at_most_two, reduced_members
from tinyedge.kernels.portable.requantize import converting_in_place, float_literal
from tinyedge.ops import reductions_f32
from tinyedge.ops.contract import Layer
from tinyedge.ops.elementwise_f32 import COMPARISONS, SUFFIX, ElementwiseF32
from tinyedge.ops.fully_connected_f32 import FullyConnectedF32
from tinyedge.ops.lookup import Lookup
from tinyedge.ops.reductions_f32 import ReductionF32

LAYER_CODE_BYTES = 24
WITHOUT_FPU = 8
"""times the cycles on a core that computes float32 in software"""

_PAIRS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "add": (19, 150),
        "div": (32, 150),
        **dict.fromkeys(COMPARISONS, (16, 130)),
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
        return f"{self.stem}_{params.function}"

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
        call = f"{self.stem}_{p.function}({first}{pointers}, {layer.outputs[0].elements});"
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


class PortableReduceF32(Kernel):
    """Sums, means, largest and smallest values over axes that alternate at most twice between kept and reduced."""

    name = "portable/reduce_f32"
    operators: ClassVar[tuple[str, ...]] = tuple(name + SUFFIX for name in reductions_f32.NAMES)
    stem = "te_reduce_f32"

    def fits(self, layer: Layer, core: Core) -> str:
        p: ReductionF32 = layer.params
        return at_most_two(p.shape, p.axes)

    def cost(self, layer: Layer, core: Core) -> Cost:
        cycles = 9 * layer.inputs[0].elements * (1 if core.fpu else WITHOUT_FPU)
        return _in_float32(Cost(cycles, LAYER_CODE_BYTES + 110, 36, ((self.stem, 0),)), 30, layer, core)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: ReductionF32 = layer.params
        name = f"{operands.prefix}_params"
        divisor = float_literal(float(p.divisor))
        struct = params_struct("te_reduce_f32_params", name, {**reduced_members(p.shape, p.axes), "divisor": divisor})
        function = "sum" if p.function == "mean" else p.function.removeprefix("reduce_")
        call = f"{self.stem}_{function}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), functions=struct, runtime=(self.stem,))


class PortableFullyConnectedF32(Kernel):
    """Fully connected layers."""

    name = "portable/fully_connected_f32"
    operators: ClassVar[tuple[str, ...]] = ("fully_connected_f32",)
    stem = "te_fully_connected_f32"

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: FullyConnectedF32 = layer.params
        constants = p.weights.nbytes + p.bias.nbytes + 20
        cycles = 9 * layer.macs * (1 if core.fpu else WITHOUT_FPU)
        return _in_float32(Cost(cycles, LAYER_CODE_BYTES, constants, ((self.stem, 130),)), 20, layer, core)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: FullyConnectedF32 = layer.params
        prefix = operands.prefix
        low, high = activation_limits(p.activation)
        outputs, inputs = p.weights.shape
        sizes: dict[str, Value] = {"batches": p.batches, "inputs": inputs, "outputs": outputs}
        limits: dict[str, Value] = {"min": float_literal(float(low)), "max": float_literal(float(high))}
        struct = params_struct("te_fully_connected_f32_params", f"{prefix}_params", {**sizes, **limits})
        weights = Constant(f"{prefix}_weights", "float", np.ascontiguousarray(p.weights).reshape(-1), 4, "weights")
        bias = Constant(f"{prefix}_bias", "float", p.bias, 4, "bias")
        pointers = f"{operands.inputs[0]}, {weights.name}, {bias.name}, {operands.outputs[0]}"
        call = f"{self.stem}(&{prefix}_params, {pointers});"
        return Code(call=(call,), constants=(weights, bias), functions=struct, runtime=(self.stem,))


KERNELS: tuple[Kernel, ...] = (
    PortablePairsF32(),
    PortableSinglesF32(),
    PortableLookupF32(),
    PortableReduceF32(),
    PortableFullyConnectedF32(),
)
