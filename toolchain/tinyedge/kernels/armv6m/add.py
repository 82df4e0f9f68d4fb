"""add on int8 as two MULS an element: constants sought offline and proved over all pairs of inputs.

The output is clamp((a * x + b * y + k) >> f) in 32 bits. `kernels/add_factors.py` seeks the constants.
"""

from __future__ import annotations

from functools import cache
from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.armv6m.asm import Assembly, core_reason, emit_clamp
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.add_factors import PRODUCTS, Factors, elementwise, find_factors
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.add import Add
from tinyedge.ops.contract import Layer

FRACTIONS = (22, 21, 20, 19, 18)
"""bits behind the point, the first first, so that layers share code"""
CALL_CYCLES = 16
CALL_BYTES = 20


def find_products(p: Add) -> Factors | None:
    """The constants of a layer; None when none are right for all inputs."""
    return find_factors(p, PRODUCTS, FRACTIONS)


@cache
def _assembly(fraction: int, low: int, high: int) -> Assembly:
    asm = Assembly()
    asm("push {r4-r7, lr}", "ldm r0!, {r4-r7}", "mov r12, r6", "adds r1, r1, r7", "adds r2, r2, r7")
    asm("adds r3, r3, r7", "rsbs r0, r7, #0")
    asm.block("one", "an element; r1-r3 are the ends, r0 counts up to 0")
    asm("1: ldrsb r6, [r1, r0]", "ldrsb r7, [r2, r0]", "muls r6, r4, r6", "muls r7, r5, r7", "adds r6, r6, r7")
    asm("add r6, r12", f"asrs r6, r6, #{fraction}")
    emit_clamp(asm, low, high, "r6", "r7")
    asm("strb r6, [r3, r0]", "adds r0, r0, #1", "bne 1b")
    asm.block("end")
    asm("pop {r4-r7, pc}")
    return asm


@cache
def _function(fraction: int, low: int, high: int) -> AsmFunction:
    comment = (
        f"output = clamp((a x + b y + k) >> {fraction}).\n\n"
        "layer  a, b, k, count; x, y and output may be the same\n"
        "r4 a, r5 b, r12 k, r6 x, r7 y"
    )
    prototype = "void NAME(const int32_t *layer, const int8_t *x, const int8_t *y, int8_t *output)"
    return _assembly(fraction, low, high).shared("te_add", prototype, comment)


class AddShort(Kernel):
    """int8 sums, element by element, where constants for the short form exist."""

    name = "armv6m/add"
    operators: ClassVar[tuple[str, ...]] = ("add",)

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := core_reason(core) or checks.int8_tensors(layer) or elementwise(layer):
            return reason
        return "" if find_products(layer.params) else "no constants of the short form are right for all inputs"

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Add = layer.params
        form = _form(p)
        asm = _assembly(*form)
        ticks = asm.ticks("start") + layer.outputs[0].elements * asm.ticks("one") + asm.ticks("end")
        constants = 16 + (0 if p.constant2 is None else p.constant2.size)
        shared = (_function(*form).name, asm.code_bytes)
        return Cost(ticks.cycles + CALL_CYCLES, CALL_BYTES, constants, (shared,), instructions=ticks.instructions)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0: an element is read before it is written."""
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Add = layer.params
        factors = find_products(p)
        assert factors is not None
        words = np.array([factors.a, factors.b, factors.k, layer.outputs[0].elements], np.int32)
        constants = [Constant(f"{operands.prefix}_layer", "int32_t", words, 4, "a, b, k, count")]
        sides = list(operands.inputs)
        if p.constant2 is not None:
            second = Constant(f"{operands.prefix}_second", "int8_t", p.constant2.reshape(-1), 4, "the second operand")
            constants.append(second)
            sides.append(second.name)
        function = _function(*_form(p))
        call = f"{function.name}({constants[0].name}, {sides[0]}, {sides[1]}, {operands.outputs[0]});"
        return Code(call=(call,), constants=tuple(constants), assembler=(function,))


def _form(p: Add) -> tuple[int, int, int]:
    """What the code depends on; only for layers that have constants."""
    factors = find_products(p)
    assert factors is not None
    return factors.fraction, p.activation_min, p.activation_max


KERNELS: tuple[Kernel, ...] = (AddShort(),)
