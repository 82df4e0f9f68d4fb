"""add and sub on int8, operands that broadcast among them: two SMLAWx an element, or two tables of scaled inputs.

The output is clamp((k + (a * (x << 8) >> 16) + (b * (y << 8) >> 16)) >> f) where `kernels/common/add_factors.py` finds
constants that make it so for all pairs of inputs, as for nearly all layers. The tables serve the others.
"""

from __future__ import annotations

from functools import cache, partial
from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.armv7em import rounding
from tinyedge.kernels.armv7em.pair_layers import in_place_offset, pair_layer
from tinyedge.kernels.armv7em.pair_rows import (
    FOUR,
    PROTOTYPE,
    WALK,
    PairRows,
    RowBody,
    rows_code,
    rows_cost,
    write_rows,
)
from tinyedge.kernels.common.add_factors import Factors, find_halves, sum_scales
from tinyedge.kernels.contract import AsmFunction, Code, Cost, Kernel, Operands
from tinyedge.kernels.thumb.assembly import Assembly, clamp, requantize
from tinyedge.ops.contract import Layer

OPERATORS = ("add", "sub")
STEM = "te_sum_rows"
WORDS = {"a": "factor of x", "b": "factor of y", "k": "added", "mask": "bytes 1 and 3"}
MASK = 0xFF00FF00


def _start(asm: Assembly) -> None:
    asm("ldm r0, {r4-r6, r8}")


def _read_single(single: bool, asm: Assembly) -> None:
    if single:
        asm("ldrsb r9, [r2]", "lsl r9, r9, #8", "smlawb r9, r5, r9, r6")


def _finish(asm: Assembly, sums: list[str], fraction: int, low: int, high: int) -> None:
    asm(*(f"ssat {each}, #8, {each}, asr #{fraction}" for each in sums))
    clamp(asm, sums, low, high)
    asm(*(f"strb {each}, [r3], #1" for each in sums))


def _four(single: bool, fraction: int, low: int, high: int, asm: Assembly) -> None:
    asm("ldr r7, [r1], #4")
    if single:
        asm("and r10, r8, r7, lsl #8", "and r7, r7, r8")
        asm("smlawb r12, r4, r10, r9", "smlawb lr, r4, r7, r9", "smlawt r10, r4, r10, r9", "smlawt r7, r4, r7, r9")
    else:
        asm("ldr r9, [r2], #4", "and r10, r8, r7, lsl #8", "and r7, r7, r8")
        asm("and r11, r8, r9, lsl #8", "and r9, r9, r8")
        asm("smlawb r12, r4, r10, r6", "smlawb lr, r4, r7, r6", "smlawt r10, r4, r10, r6", "smlawt r7, r4, r7, r6")
        asm("smlawb r12, r5, r11, r12", "smlawb lr, r5, r9, lr")
        asm("smlawt r10, r5, r11, r10", "smlawt r7, r5, r9, r7")
    _finish(asm, ["r12", "lr", "r10", "r7"], fraction, low, high)


def _one(single: bool, fraction: int, low: int, high: int, asm: Assembly) -> None:
    asm("ldrsb r7, [r1], #1", "lsl r7, r7, #8")
    if single:
        asm("smlawb r10, r4, r7, r9")
    else:
        asm("ldrsb r9, [r2], #1", "lsl r9, r9, #8", "smlawb r10, r4, r7, r6", "smlawb r10, r5, r9, r10")
    _finish(asm, ["r10"], fraction, low, high)


@cache
def _function(single: bool, fraction: int, low: int, high: int) -> tuple[Assembly, AsmFunction]:
    body = RowBody(
        words=WORDS,
        start=_start,
        row=partial(_read_single, single),
        four=partial(_four, single, fraction, low, high),
        one=partial(_one, single, fraction, low, high),
    )
    asm = write_rows(STEM, body)
    comment = (
        f"output = (k + a * x + b * y) >> {fraction}, clamped to int8, row by row; "
        f"y has {'a value for each row' if single else 'a row too'}. Exact for the constants it is called with.\n\n"
        "output may be an operand that is as large as it is\n"
        "r4 a, r5 b, r6 k, r7 x, r8 mask, r9 y"
    )
    return asm, asm.shared(STEM, PROTOTYPE, comment)


def _function_of(layer: Layer, rows: PairRows) -> tuple[Assembly, AsmFunction]:
    p = layer.params
    return _function(rows.single, _factors(layer).fraction, p.activation_min, p.activation_max)


def _factors(layer: Layer) -> Factors:
    factors = find_halves(layer.params)
    assert factors is not None
    return factors


class SumRows(Kernel):
    """Sums and differences where constants for the short form exist."""

    name = "armv7em/sum_rows"
    operators: ClassVar[tuple[str, ...]] = OPERATORS

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := rounding.runs_on(layer, core):
            return reason
        return "" if find_halves(layer.params) else "no constants of the short form are right for all inputs"

    def cost(self, layer: Layer, core: Core) -> Cost:
        pair = pair_layer(layer)
        return rows_cost(pair.rows, *_function_of(layer, pair.rows), pair.constant_bytes)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return in_place_offset(layer, input_index)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        pair, factors = pair_layer(layer), _factors(layer)
        a, b = pair.rows.ordered(factors.a, factors.b)
        words = {"a": a, "b": b, "k": factors.k, "mask": MASK}
        pointers, constants = pair.pointers(operands)
        return rows_code(pair.rows, _function_of(layer, pair.rows)[1], words, pointers, constants, operands)


# -- tables ----------------------------------------------------------------------------------------------------------

TABLES_STEM = "te_sum_tables"
TABLES_WORDS = {"multiplier": "doubled", "divisor": "negated", "zero_point": "of the output"}
TABLE_BYTES = 1024
MIDDLE_BYTES = 512


def _start_tables(asm: Assembly) -> None:
    behind = 4 * len(TABLES_WORDS | WALK)
    asm("ldm r0, {r4-r6}", f"add r7, r0, #{behind + MIDDLE_BYTES}", f"add r8, r7, #{TABLE_BYTES}")


def _look_up_single(single: bool, asm: Assembly) -> None:
    if single:
        asm("ldrsb r10, [r2]", "ldr r10, [r8, r10, lsl #2]")


def _one_of_tables(single: bool, rectified: bool, low: int, high: int, asm: Assembly) -> None:
    asm("ldrsb r9, [r1], #1")
    if not single:
        asm("ldrsb r10, [r2], #1", "ldr r10, [r8, r10, lsl #2]")
    asm("ldr r9, [r7, r9, lsl #2]", "add r9, r9, r10")
    requantize(asm, ["r9"], "r4", "r5", "r6", rectified=rectified)
    clamp(asm, ["r9"], low, high)
    asm("strb r9, [r3], #1")


def _four_of_tables(single: bool, rectified: bool, low: int, high: int, asm: Assembly) -> None:
    for _ in range(FOUR):
        _one_of_tables(single, rectified, low, high, asm)


@cache
def _tables_function(single: bool, rectified: bool, low: int, high: int) -> tuple[Assembly, AsmFunction]:
    body = RowBody(
        words=TABLES_WORDS,
        start=_start_tables,
        row=partial(_look_up_single, single),
        four=partial(_four_of_tables, single, rectified, low, high),
        one=partial(_one_of_tables, single, rectified, low, high),
    )
    asm = write_rows(TABLES_STEM, body)
    comment = (
        "output = the sum of two scaled inputs, rescaled, row by row; scaled inputs come from tables behind the layer; "
        f"y has {'a value for each row' if single else 'a row too'}.\n\n"
        "output may be an operand that is as large as it is\n"
        "r4 multiplier, r5 divisor, r6 zero point, r7, r8 middles of the tables of x and y"
    )
    return asm, asm.shared(TABLES_STEM, PROTOTYPE, comment)


def _tables_function_of(layer: Layer, rows: PairRows) -> tuple[Assembly, AsmFunction]:
    p = layer.params
    rectified = p.activation_min >= p.output_zero_point
    return _tables_function(rows.single, rectified, p.activation_min, p.activation_max)


class SumTables(Kernel):
    """Sums and differences with two tables of 256 scaled inputs."""

    name = "armv7em/sum_tables"
    operators: ClassVar[tuple[str, ...]] = OPERATORS

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := rounding.runs_on(layer, core):
            return reason
        p = layer.params
        if p.output_multiplier == 0:
            return "it is scaled by nothing"
        return rounding.shifts_right(np.array([p.output_multiplier]), np.array([p.output_shift]))

    def cost(self, layer: Layer, core: Core) -> Cost:
        pair = pair_layer(layer)
        return rows_cost(pair.rows, *_tables_function_of(layer, pair.rows), pair.constant_bytes + 2 * TABLE_BYTES)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return in_place_offset(layer, input_index)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        pair, scales = pair_layer(layer), sum_scales(layer.params)
        multiplier, shift, zero_point = scales.output
        doubled, negated = rounding.scale_words(multiplier, shift)
        words = {"multiplier": doubled, "divisor": negated, "zero_point": zero_point}
        tables = np.concatenate(pair.rows.ordered(scales.scaled(0), scales.scaled(1)))
        pointers, constants = pair.pointers(operands)
        function = _tables_function_of(layer, pair.rows)[1]
        return rows_code(pair.rows, function, words, pointers, constants, operands, behind=tables)


KERNELS: tuple[Kernel, ...] = (SumRows(), SumTables())
