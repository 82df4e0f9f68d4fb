"""add on int8 with Helium: four elements in eight instructions, proved over all pairs of inputs.

products  clamp((k + a * x + b * y) >> f) in 32 bits, where constants exist that give TensorFlow Lite Micro's result for
          all 65,536 pairs of inputs: 9 instructions for four elements, the end of the loop included
halves    clamp((k + (a * (x << 8) >> 16) + (b * (y << 8) >> 16)) >> f), the form of kernels/armv7em/add.py, whose
          factors have 8 bits more: 12 instructions

With f of 16 or more, what is shifted has 16 bits, which saturate to 8 in one instruction. (Narrowing that shifts would
do both, but binutils 2.40 encodes VQSHRNB as the form that rounds.)
"""

from __future__ import annotations

from functools import cache
from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.armv81m.conv_2d import helium_reason
from tinyedge.kernels.common.add_factors import PRODUCTS, Factors, elementwise, find_factors, find_halves
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Operands
from tinyedge.kernels.thumb.assembly import Assembly
from tinyedge.ops.add import Add
from tinyedge.ops.contract import Layer

FRACTIONS = (23, 22, 21, 20, 24)
"""bits behind the point in the form of products"""
CALL_INSTRUCTIONS = 8
CALL_BYTES = 20
PROTOTYPE = "void NAME(const int32_t *layer, const int8_t *x, const int8_t *y, int8_t *output)"


def find_products(p: Add) -> Factors | None:
    """The constants of the form of products; None when none are right for all inputs."""
    return find_factors(p, PRODUCTS, FRACTIONS)


def _find(p: Add) -> tuple[bool, Factors] | None:
    """Whether it is the form of products, and its constants; None when neither form has any."""
    if factors := find_products(p):
        return True, factors
    factors = find_halves(p)
    return (False, factors) if factors else None


@cache
def _assembly(products: bool, fraction: int, low: int, high: int) -> Assembly:
    asm = Assembly({})
    asm("push {r4, r5, r6, lr}", "ldm r0, {r4, r5, r6, r12}")
    if low > -128:
        asm(f"mvn r0, #{~low}" if low < 0 else f"mov r0, #{low}", "vdup.8 q2, r0")
    if high < 127:
        asm(f"mvn r0, #{~high}" if high < 0 else f"mov r0, #{high}", "vdup.8 q3, r0")
    asm("dlstp.32 lr, r12")
    asm.block("four", "four elements")
    asm("1: vldrb.s32 q0, [r1], #4", "vldrb.s32 q1, [r2], #4")
    if products:
        asm("vmul.i32 q0, q0, r4", "vmla.s32 q0, q1, r5", "vadd.i32 q0, q0, r6")
    else:
        asm("vshl.i32 q0, q0, #23", "vshl.i32 q1, q1, #23", "vqdmulh.s32 q0, q0, r4", "vqdmulh.s32 q1, q1, r5")
        asm("vadd.i32 q0, q0, q1", "vadd.i32 q0, q0, r6")
    asm(f"vshr.s32 q0, q0, #{fraction}", "vqmovnb.s16 q0, q0")
    if low > -128:
        asm("vmax.s8 q0, q0, q2")
    if high < 127:
        asm("vmin.s8 q0, q0, q3")
    asm("vstrb.32 q0, [r3], #4", "letp lr, 1b")
    asm.block("end")
    asm("pop {r4, r5, r6, pc}")
    return asm


@cache
def _function(products: bool, fraction: int, low: int, high: int) -> AsmFunction:
    sum_ = "k + a * x + b * y" if products else "k + (a * (x << 8) >> 16) + (b * (y << 8) >> 16)"
    comment = (
        f"output = ({sum_}) >> {fraction}, clamped; exact for the constants it is called with.\n\n"
        "layer  a, b, k, count; x, y and output may be the same\n"
        "r4 a, r5 b, r6 k; q0 x, q1 y"
    )
    return _assembly(products, fraction, low, high).shared("te_add", PROTOTYPE, comment)


class AddHelium(Kernel):
    """int8 sums, element by element, where constants for one of the forms exist."""

    name = "armv81m/add"
    operators: ClassVar[tuple[str, ...]] = ("add",)

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := helium_reason(layer, core) or elementwise(layer):
            return reason
        return "" if _find(layer.params) else "no constants of its forms are right for all inputs"

    def _form(self, p: Add) -> tuple[tuple[bool, int, int, int], Factors]:
        found = _find(p)
        assert found is not None
        products, factors = found
        return (products, factors.fraction, p.activation_min, p.activation_max), factors

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Add = layer.params
        form, _ = self._form(p)
        asm = _assembly(*form)
        once = asm.instructions("start") + asm.instructions("end") + CALL_INSTRUCTIONS
        turns = -(-layer.outputs[0].elements // 4)
        constants = 16 + (0 if p.constant2 is None else p.constant2.size)
        shared = (_function(*form).name, asm.code_bytes)
        count = once + turns * asm.instructions("four")
        return Cost(count, CALL_BYTES, constants, (shared,), instructions=count)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0: elements are read before they are written."""
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Add = layer.params
        form, factors = self._form(p)
        function, prefix = _function(*form), operands.prefix
        words = np.array([factors.a, factors.b, factors.k, layer.outputs[0].elements], np.int32)
        constants = [Constant(f"{prefix}_layer", "int32_t", words, 4, "a, b, k, count")]
        sides = list(operands.inputs)
        if p.constant2 is not None:
            constants.append(Constant(f"{prefix}_second", "int8_t", p.constant2.reshape(-1), 4, "the second operand"))
            sides.append(f"{prefix}_second")
        call = f"{function.name}({prefix}_layer, {sides[0]}, {sides[1]}, {operands.outputs[0]});"
        return Code(call=(call,), constants=tuple(constants), assembler=(function,))


KERNELS: tuple[Kernel, ...] = (AddHelium(),)
