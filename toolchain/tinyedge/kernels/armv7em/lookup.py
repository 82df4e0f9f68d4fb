"""Functions of one int8 value: by table, eight loads in a row; those that only clamp, four bytes at a time."""

from __future__ import annotations

from functools import cache
from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.graph.ir import Array
from tinyedge.kernels.armv7em import rounding
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Operands
from tinyedge.kernels.thumb.assembly import Assembly
from tinyedge.ops import lookup
from tinyedge.ops.contract import Layer
from tinyedge.ops.lookup import Lookup

CALL_TICKS = 12
CALL_BYTES = 24
EIGHT, SIXTEEN = 8, 16
EACH_BYTE = 0x01010101


@cache
def _table_assembly() -> Assembly:
    asm = Assembly({})
    asm("push {r4-r11, lr}", "bic r12, r3, #7", "add r12, r2, r12", "add lr, r2, r3", "cmp r2, r12", "beq 2f")
    asm.block("eight", "eight elements")
    registers = [f"r{number}" for number in range(3, 11)]
    asm("1: ldrb r3, [r1], #8", *(f"ldrb {r}, [r1, #{at - 8}]" for at, r in enumerate(registers) if at))
    asm(*(f"ldrb {r}, [r0, {r}]" for r in registers))
    asm("strb r3, [r2], #8", *(f"strb {r}, [r2, #{at - 8}]" for at, r in enumerate(registers) if at))
    asm("cmp r2, r12", "bne 1b")
    asm.block("one", "the rest one by one")
    asm("2: cmp r2, lr", "beq 3f", "ldrb r3, [r1], #1", "ldrb r3, [r0, r3]", "strb r3, [r2], #1", "b 2b")
    asm.block("end")
    asm("3: pop {r4-r11, pc}")
    return asm


@cache
def _table_function() -> AsmFunction:
    prototype = "void NAME(const int8_t *table, const int8_t *input, int8_t *output, uint32_t count)"
    comment = "output = table[input], the table from 0 to 127 and on from -128 to -1; output may be the input."
    return _table_assembly().shared("te_lookup", prototype, comment)


class LookupEight(Kernel):
    """Every operator that `ops.lookup` tabulates."""

    name = "armv7em/lookup"
    operators: ClassVar[tuple[str, ...]] = (*lookup.TABLES, "island")

    def fits(self, layer: Layer, core: Core) -> str:
        return rounding.runs_on(layer, core)

    def cost(self, layer: Layer, core: Core) -> Cost:
        asm = _table_assembly()
        eights, ones = divmod(layer.outputs[0].elements, EIGHT)
        ticks = asm.ticks("start") + eights * asm.ticks("eight") + ones * asm.ticks("one") + asm.ticks("end")
        shared = (_table_function().name, asm.code_bytes)
        return Cost(ticks.cycles + CALL_TICKS, CALL_BYTES, 256, (shared,), instructions=ticks.instructions)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0: elements are read before they are written."""
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Lookup = layer.params
        values = np.roll(p.table.astype(np.int8), -128)
        table = Constant(f"{operands.prefix}_table", "int8_t", values, 1, f"{layer.name} of 0..127, -128..-1")
        function = _table_function()
        call = f"{function.name}({table.name}, {operands.inputs[0]}, {operands.outputs[0]}, {p.elements});"
        return Code(call=(call,), constants=(table,), assembler=(function,))


# -- clamps ----------------------------------------------------------------------------------------------------------


def clamp_limits(table: Array) -> tuple[int, int] | None:
    """Limits such that the table is nothing but a clamp to them; None when it is something else.

    >>> clamp_limits(np.clip(np.arange(-128, 128), -5, 127)), clamp_limits(-np.arange(-127, 129))
    ((-5, 127), None)
    """
    low, high = int(table.min()), int(table.max())
    return (low, high) if np.array_equal(table, np.clip(np.arange(-128, 128), low, high)) else None


@cache
def _clamp_assembly(has_low: bool, has_high: bool) -> Assembly:
    asm = Assembly({})
    asm("push {r4-r11, lr}", "ldm r0, {r4, r5, r12}", "add lr, r2, r12", "bic r12, r12, #15", "add r12, r2, r12")
    asm("cmp r2, r12", "beq 2f")
    asm.block("sixteen", "sixteen elements: GE flags of a byte-wise difference select the larger, the smaller")
    asm("1: ldm r1!, {r6-r9}")
    for register in ("r6", "r7", "r8", "r9"):
        _clamp_word(asm, register, has_low, has_high)
    asm("stm r2!, {r6-r9}", "cmp r2, r12", "bne 1b")
    asm.block("one", "the rest one by one")
    asm("2: cmp r2, lr", "beq 3f", "ldrb r6, [r1], #1")
    _clamp_word(asm, "r6", has_low, has_high)
    asm("strb r6, [r2], #1", "b 2b")
    asm.block("end")
    asm("3: pop {r4-r11, pc}")
    return asm


def _clamp_word(asm: Assembly, register: str, has_low: bool, has_high: bool) -> None:
    if has_low:
        asm(f"ssub8 r3, {register}, r4", f"sel {register}, {register}, r4")
    if has_high:
        asm(f"ssub8 r3, {register}, r5", f"sel {register}, r5, {register}")


@cache
def _clamp_function(has_low: bool, has_high: bool) -> AsmFunction:
    prototype = "void NAME(const uint32_t *layer, const int8_t *input, int8_t *output)"
    comment = (
        "output = input, clamped.\n\nlayer  the smallest and the largest output in each byte, count\n"
        "input and output are aligned to a word and may be the same"
    )
    return _clamp_assembly(has_low, has_high).shared("te_clamp", prototype, comment)


def _ends(layer: Layer) -> tuple[int, int]:
    limits = clamp_limits(layer.params.table)
    assert limits is not None
    return limits


class LookupClamp(Kernel):
    """Functions that only clamp, as relu does where input and output have the same quantization."""

    name = "armv7em/clamp"
    operators: ClassVar[tuple[str, ...]] = (*lookup.TABLES, "island")

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := rounding.runs_on(layer, core):
            return reason
        return "" if clamp_limits(layer.params.table) else "its table is more than a clamp"

    def cost(self, layer: Layer, core: Core) -> Cost:
        low, high = _ends(layer)
        asm = _clamp_assembly(low > -128, high < 127)
        sixteens, ones = divmod(layer.outputs[0].elements, SIXTEEN)
        ticks = asm.ticks("start") + sixteens * asm.ticks("sixteen") + ones * asm.ticks("one") + asm.ticks("end")
        shared = (_clamp_function(low > -128, high < 127).name, asm.code_bytes)
        return Cost(ticks.cycles + CALL_TICKS, CALL_BYTES, 12, (shared,), instructions=ticks.instructions)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0: elements are read before they are written."""
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        low, high = _ends(layer)
        words = rounding.words([(low & 0xFF) * EACH_BYTE, (high & 0xFF) * EACH_BYTE, layer.outputs[0].elements])
        constant = Constant(f"{operands.prefix}_layer", "uint32_t", words, 4, "low, high, count")
        function = _clamp_function(low > -128, high < 127)
        call = f"{function.name}({constant.name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), constants=(constant,), assembler=(function,))


KERNELS: tuple[Kernel, ...] = (LookupClamp(), LookupEight())
