"""mul on int8, operands that broadcast among them: zero points off two values at once, and TFLite's two roundings.

SXTAB16 widens two values of a word and adds minus the zero point; SMULBB and SMULTT multiply them; a sum is brought to
int8 in 4 instructions. About 8 instructions an element.
"""

from __future__ import annotations

from functools import cache, partial
from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.armv7em import rounding
from tinyedge.kernels.armv7em.pair_layers import in_place_offset, pair_layer
from tinyedge.kernels.armv7em.pair_rows import PROTOTYPE, PairRows, RowBody, rows_code, rows_cost, write_rows
from tinyedge.kernels.contract import AsmFunction, Code, Cost, Kernel, Operands
from tinyedge.kernels.thumb.assembly import Assembly, clamp, requantize
from tinyedge.ops.contract import Layer
from tinyedge.ops.mul import Mul

STEM = "te_mul_rows"
WORDS = {
    "multiplier": "doubled",
    "divisor": "negated",
    "zero_point": "of the output",
    "minus_x": "minus the zero point of x, in both halves",
    "minus_y": "the same of y",
}


def _start(asm: Assembly) -> None:
    asm("ldm r0, {r4-r8}")


def _read_single(single: bool, asm: Assembly) -> None:
    if single:
        asm("ldrsb r10, [r2]", "add r10, r10, r8")


def _finish(asm: Assembly, products: list[str], low: int, high: int, rectified: bool) -> None:
    requantize(asm, products, "r4", "r5", "r6", rectified=rectified)
    clamp(asm, products, low, high)
    asm(*(f"strb {product}, [r3], #1" for product in products))


def _four(single: bool, low: int, high: int, rectified: bool, asm: Assembly) -> None:
    asm("ldr r9, [r1], #4")
    if single:
        asm("sxtab16 r11, r7, r9", "sxtab16 r9, r7, r9, ror #8")
        asm("smulbb r0, r11, r10", "smultb r11, r11, r10", "smulbb r12, r9, r10", "smultb r9, r9, r10")
    else:
        asm("ldr r10, [r2], #4", "sxtab16 r11, r7, r9", "sxtab16 r12, r8, r10")
        asm("sxtab16 r9, r7, r9, ror #8", "sxtab16 r10, r8, r10, ror #8")
        asm("smulbb r0, r11, r12", "smultt r11, r11, r12", "smulbb r12, r9, r10", "smultt r9, r9, r10")
    _finish(asm, ["r0", "r12", "r11", "r9"], low, high, rectified)


def _one(single: bool, low: int, high: int, rectified: bool, asm: Assembly) -> None:
    asm("ldrsb r9, [r1], #1", "add r9, r9, r7")
    if not single:
        asm("ldrsb r10, [r2], #1", "add r10, r10, r8")
    asm("smulbb r9, r9, r10")
    _finish(asm, ["r9"], low, high, rectified)


@cache
def _function(single: bool, low: int, high: int, rectified: bool) -> tuple[Assembly, AsmFunction]:
    body = RowBody(
        words=WORDS,
        start=_start,
        row=partial(_read_single, single),
        four=partial(_four, single, low, high, rectified),
        one=partial(_one, single, low, high, rectified),
    )
    asm = write_rows(STEM, body)
    comment = (
        "output = (x - zero point) * (y - zero point), rescaled, row by row; "
        f"y has {'a value for each row' if single else 'a row too'}.\n\n"
        "output may be an operand that is as large as it is\n"
        "r4 multiplier, r5 divisor, r6 zero point, r7, r8 minus the zero points of x and y"
    )
    return asm, asm.shared(STEM, PROTOTYPE, comment)


def _function_of(p: Mul, rows: PairRows) -> tuple[Assembly, AsmFunction]:
    rectified = p.activation_min >= p.output_zero_point
    return _function(rows.single, p.activation_min, p.activation_max, rectified)


class MulRows(Kernel):
    """Products of int8, of shapes that broadcast."""

    name = "armv7em/mul"
    operators: ClassVar[tuple[str, ...]] = ("mul",)

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := rounding.runs_on(layer, core):
            return reason
        p: Mul = layer.params
        if p.multiplier == 0:
            return "it is scaled by nothing"
        return rounding.shifts_right(np.array([p.multiplier]), np.array([p.shift]))

    def cost(self, layer: Layer, core: Core) -> Cost:
        pair = pair_layer(layer)
        return rows_cost(pair.rows, *_function_of(layer.params, pair.rows), pair.constant_bytes)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return in_place_offset(layer, input_index)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Mul = layer.params
        pair = pair_layer(layer)
        multiplier, divisor = rounding.scale_words(p.multiplier, p.shift)
        minus_x, minus_y = pair.rows.ordered(*(_both_halves(-zero_point) for zero_point in p.zero_points))
        words = {
            "multiplier": multiplier,
            "divisor": divisor,
            "zero_point": p.output_zero_point,
            "minus_x": minus_x,
            "minus_y": minus_y,
        }
        pointers, constants = pair.pointers(operands)
        return rows_code(pair.rows, _function_of(p, pair.rows)[1], words, pointers, constants, operands)


def _both_halves(value: int) -> int:
    """
    >>> hex(_both_halves(-1)), hex(_both_halves(128))
    ('0xffffffff', '0x800080')
    """
    return (value & 0xFFFF) * 0x10001


KERNELS: tuple[Kernel, ...] = (MulRows(),)
