"""add on int8 without double rounding at run time: two SMLAWx for each element, proved over all pairs of inputs.

The output is clamp((k + (a * (x << 8) >> 16) + (b * (y << 8) >> 16)) >> f), which SMLAWB, SMLAWT and SSAT compute at
once. `kernels/common/add_factors.py` seeks the constants. They exist for nearly all layers; for others there are two
tables of scaled inputs.
"""

from __future__ import annotations

from functools import cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.arithmetic.quantization import multiply_by_quantized_multiplier
from tinyedge.boards import Core
from tinyedge.kernels.armv7em import rounding
from tinyedge.kernels.common.add_factors import Factors, elementwise, find_halves
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Operands
from tinyedge.kernels.thumb.assembly import Assembly, clamp, requantize
from tinyedge.ops.add import Add
from tinyedge.ops.contract import Layer

Int64Array = npt.NDArray[np.int64]

CALL_TICKS = 12
CALL_BYTES = 20
EIGHT = 8
PROTOTYPE = "void NAME(const int32_t *layer, const int8_t *x, const int8_t *y, int8_t *output)"


@cache
def _short_assembly(fraction: int, low: int, high: int) -> Assembly:
    asm = Assembly({})
    asm("push {r4-r11, lr}", "ldm r0, {r4-r7}", "add lr, r3, r7", "bic r7, r7, #7", "add r12, r3, r7")
    asm("push {r12, lr}", "mvn r0, #0x00ff00ff", "cmp r3, r12", "beq 2f")
    asm.block("eight", "eight elements")
    asm("1: ldm r1!, {r7, r8}", "ldr r9, [r2], #4")
    _four(asm, "r7", fraction, low, high)
    asm("ldr r9, [r2], #4")
    _four(asm, "r8", fraction, low, high)
    asm("ldr r12, [sp]", "cmp r3, r12", "bne 1b")
    asm.block("one", "the rest one by one")
    asm("2: ldr r12, [sp, #4]", "cmp r3, r12", "beq 3f", "ldrsb r7, [r1], #1", "ldrsb r9, [r2], #1")
    asm("lsl r7, r7, #8", "lsl r9, r9, #8", "smlawb r10, r4, r7, r6", "smlawb r10, r5, r9, r10")
    asm(f"ssat r10, #8, r10, asr #{fraction}")
    clamp(asm, ["r10"], low, high)
    asm("strb r10, [r3], #1", "b 2b")
    asm.block("end")
    asm("3: add sp, sp, #8", "pop {r4-r11, pc}")
    return asm


def _four(asm: Assembly, x: str, fraction: int, low: int, high: int) -> None:
    """Four elements, x and y (in r9) a word each; r0 masks bytes 1 and 3, which stand for x << 8 in each half."""
    asm(f"and r10, r0, {x}, lsl #8", f"and {x}, {x}, r0", "and r11, r0, r9, lsl #8", "and r9, r9, r0")
    asm("smlawb r12, r4, r10, r6", f"smlawb lr, r4, {x}, r6", "smlawt r10, r4, r10, r6", f"smlawt {x}, r4, {x}, r6")
    asm("smlawb r12, r5, r11, r12", "smlawb lr, r5, r9, lr", "smlawt r10, r5, r11, r10", f"smlawt {x}, r5, r9, {x}")
    results = ["r12", "lr", "r10", x]
    asm(*(f"ssat {result}, #8, {result}, asr #{fraction}" for result in results))
    clamp(asm, results, low, high)
    asm(*(f"strb {result}, [r3], #1" for result in results))


@cache
def _short_function(fraction: int, low: int, high: int) -> AsmFunction:
    comment = (
        f"output = (k + a * x + b * y) >> {fraction}, clamped to int8; exact for the constants it is called with.\n\n"
        "layer  a, b, k, count; x, y and output are aligned to a word and may be the same\n"
        "r4 a, r5 b, r6 k, r7, r8 x, r9 y"
    )
    return _short_assembly(fraction, low, high).shared("te_add", PROTOTYPE, comment)


class AddShort(Kernel):
    """int8 sums, element by element, where constants for the short form exist."""

    name = "armv7em/add"
    operators: ClassVar[tuple[str, ...]] = ("add",)

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := rounding.runs_on(layer, core) or elementwise(layer):
            return reason
        return "" if find_halves(layer.params) else "no constants of the short form are right for all inputs"

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Add = layer.params
        factors = _factors(p)
        asm = _short_assembly(factors.fraction, p.activation_min, p.activation_max)
        eights, ones = divmod(layer.outputs[0].elements, EIGHT)
        ticks = asm.ticks("start") + eights * asm.ticks("eight") + ones * asm.ticks("one") + asm.ticks("end")
        constants = 16 + (0 if p.constant2 is None else p.constant2.size)
        shared = (_short_function(factors.fraction, p.activation_min, p.activation_max).name, asm.code_bytes)
        return Cost(ticks.cycles + CALL_TICKS, CALL_BYTES, constants, (shared,), instructions=ticks.instructions)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0: words are read before any of their elements is written."""
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Add = layer.params
        factors = _factors(p)
        words = [factors.a, factors.b, factors.k, layer.outputs[0].elements]
        function = _short_function(factors.fraction, p.activation_min, p.activation_max)
        return _code(p, operands, function, np.array(words, np.int32), "a, b, k, count")


def _factors(p: Add) -> Factors:
    factors = find_halves(p)
    assert factors is not None
    return factors


def _code(p: Add, operands: Operands, function: AsmFunction, words: npt.NDArray[np.int32], comment: str) -> Code:
    """The call, with a second operand that may be a constant."""
    constants = [Constant(f"{operands.prefix}_layer", "int32_t", words, 4, comment)]
    sides = list(operands.inputs)
    if p.constant2 is not None:
        second = Constant(f"{operands.prefix}_second", "int8_t", p.constant2.reshape(-1), 4, "the second operand")
        constants.append(second)
        sides.append(second.name)
    call = f"{function.name}({constants[0].name}, {sides[0]}, {sides[1]}, {operands.outputs[0]});"
    return Code(call=(call,), constants=tuple(constants), assembler=(function,))


# -- tables ----------------------------------------------------------------------------------------------------------


@cache
def _table_assembly(low: int, high: int) -> Assembly:
    asm = Assembly({})
    asm("push {r4-r10, lr}", "ldm r0!, {r4-r7}", "add r12, r3, r7", "add r0, r0, #512", "add r7, r0, #1024")
    asm.block("one", "one element; r0, r7: the middles of the tables")
    asm("1: ldrsb r8, [r1], #1", "ldrsb r9, [r2], #1", "ldr r8, [r0, r8, lsl #2]", "ldr r9, [r7, r9, lsl #2]")
    asm("add r8, r8, r9")
    requantize(asm, ["r8"], "r4", "r5", "r6", rectified=False)
    clamp(asm, ["r8"], low, high)
    asm("strb r8, [r3], #1", "cmp r3, r12", "bne 1b")
    asm.block("end")
    asm("pop {r4-r10, pc}")
    return asm


@cache
def _table_function(low: int, high: int) -> AsmFunction:
    comment = (
        "output = the sum of two scaled inputs, rescaled; scaled inputs come from tables.\n\n"
        "layer  doubled multiplier, negated divisor, zero point, count, 256 scaled x, 256 scaled y\n"
        "x, y and output may be the same"
    )
    return _table_assembly(low, high).shared("te_add_tables", PROTOTYPE, comment)


class AddTables(Kernel):
    """int8 sums, element by element, with two tables of 256 scaled inputs."""

    name = "armv7em/add_tables"
    operators: ClassVar[tuple[str, ...]] = ("add",)

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := rounding.runs_on(layer, core) or elementwise(layer):
            return reason
        p: Add = layer.params
        return rounding.shifts_right(np.array([p.output_multiplier]), np.array([p.output_shift]))

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Add = layer.params
        asm = _table_assembly(p.activation_min, p.activation_max)
        ticks = asm.ticks("start") + layer.outputs[0].elements * asm.ticks("one") + asm.ticks("end")
        constants = 16 + 2048 + (0 if p.constant2 is None else p.constant2.size)
        shared = (_table_function(p.activation_min, p.activation_max).name, asm.code_bytes)
        return Cost(ticks.cycles + CALL_TICKS, CALL_BYTES, constants, (shared,), instructions=ticks.instructions)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0: an element is read before it is written."""
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Add = layer.params
        used = p.output_multiplier != 0
        scales = rounding.scale_words(p.output_multiplier, p.output_shift)
        values = np.arange(-128, 128, dtype=np.int64)
        tables = [
            used * multiply_by_quantized_multiplier((values - zero) << p.left_shift, multiplier, shift)
            for zero, multiplier, shift in (
                (p.input1_zero_point, p.input1_multiplier, p.input1_shift),
                (p.input2_zero_point, p.input2_multiplier, p.input2_shift),
            )
        ]
        words = np.concatenate([[*scales, p.output_zero_point, layer.outputs[0].elements], *tables]).astype(np.int32)
        function = _table_function(p.activation_min, p.activation_max)
        return _code(p, operands, function, words, "scales, zero point, count, scaled inputs")


KERNELS: tuple[Kernel, ...] = (AddShort(), AddTables())
