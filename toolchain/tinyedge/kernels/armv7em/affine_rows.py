"""add, sub and mul on int8 with a constant for each element of a row: one SMLAWx and one SSAT an element.

With its second operand known, an element is a function of one value: (offset + (k * (x << 8) >> 16)) >> f. Of sums k is
the same for all; offset follows from the constants of `kernels/common/add_factors.py`. Of products both are sought for
each constant and proved on all 256 values of x: where negative ties are rounded away from zero they may not exist.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.arithmetic.quantization import requantize
from tinyedge.boards import Core
from tinyedge.kernels.armv7em import rounding
from tinyedge.kernels.armv7em.pair_layers import PairLayer, in_place_offset, pair_layer
from tinyedge.kernels.armv7em.pair_rows import FOUR, PROTOTYPE, RowBody, rows_code, rows_cost, write_rows
from tinyedge.kernels.common.add_factors import HALVES_FRACTIONS, find_halves
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Operands
from tinyedge.kernels.thumb.assembly import Assembly, clamp
from tinyedge.ops.contract import Layer
from tinyedge.ops.mul import Mul

Int64Array = npt.NDArray[np.int64]

STEM = "te_affine_rows"
WORDS = {"k": "factor of x, where all have one", "mask": "bytes 1 and 3"}
MASK = 0xFF00FF00
LARGEST = 1 << 30
"""of an offset: with a product of k, which is no larger, a sum stays in 32 bits"""
NEIGHBOURS = (0, 1, -1, 2, -2, 3, -3)
"""how far from the rounded factor one is looked for"""
_INPUTS = np.arange(-128, 128, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Lines:
    """For each element of a row a factor and what is added, and the bits behind the point.

    k  [elements], or [1] for one factor
    """

    k: Int64Array
    offset: Int64Array
    fraction: int

    @property
    def has_factors(self) -> bool:
        return self.k.size > 1

    def words(self) -> Int64Array:
        """Fours of offsets, behind each four its factors where there are any; the last one filled up."""
        rows = [self.offset, self.k] if self.has_factors else [self.offset]
        fill = -self.offset.size % FOUR
        fours = [np.pad(row, (0, fill)).reshape(-1, FOUR) for row in rows]
        return np.stack(fours, axis=1).reshape(-1)


def _four(factors: bool, fraction: int, low: int, high: int, asm: Assembly) -> None:
    asm("ldr r7, [r1], #4", "ldm r2!, {r9-r12}")
    k = ["r4"] * FOUR
    if factors:
        asm("ldm r2!, {r4-r6, lr}")
        k = ["r4", "r5", "r6", "lr"]
    asm("and r0, r8, r7, lsl #8", "and r7, r7, r8")
    asm(f"smlawb r9, {k[0]}, r0, r9", f"smlawb r10, {k[1]}, r7, r10")
    asm(f"smlawt r11, {k[2]}, r0, r11", f"smlawt r12, {k[3]}, r7, r12")
    _finish(asm, ["r9", "r10", "r11", "r12"], fraction, low, high)


def _one(factors: bool, fraction: int, low: int, high: int, asm: Assembly) -> None:
    asm("ldrsb r7, [r1], #1", *(["ldr r4, [r2, #16]"] if factors else []), "ldr r9, [r2], #4", "lsl r7, r7, #8")
    asm("smlawb r9, r4, r7, r9")
    _finish(asm, ["r9"], fraction, low, high)


def _finish(asm: Assembly, sums: list[str], fraction: int, low: int, high: int) -> None:
    asm(*(f"ssat {each}, #8, {each}, asr #{fraction}" for each in sums))
    clamp(asm, sums, low, high)
    asm(*(f"strb {each}, [r3], #1" for each in sums))


@cache
def _function(factors: bool, fraction: int, low: int, high: int) -> tuple[Assembly, AsmFunction]:
    body = RowBody(
        words=WORDS,
        start=lambda asm: asm("ldm r0, {r4, r8}"),
        row=lambda asm: None,
        four=partial(_four, factors, fraction, low, high),
        one=partial(_one, factors, fraction, low, high),
    )
    asm = write_rows(STEM, body)
    each = "four offsets, then four factors" if factors else "offsets"
    comment = (
        f"output = (offset + k * x) >> {fraction}, clamped to int8, row by row; y points to {each}.\n\n"
        "x is read a word at a time; output may be x\n"
        "r4-r6, lr k, r7 x, r8 mask, r9-r12 offsets"
    )
    return asm, asm.shared(STEM, PROTOTYPE, comment)


class _AffineRows(Kernel):
    """Layers whose second operand is a constant of one value for each element of a row."""

    def lines(self, pair: PairLayer, params: Any) -> Lines | None:
        """None where there are none."""
        raise NotImplementedError

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := rounding.runs_on(layer, core):
            return reason
        pair = pair_layer(layer)
        if pair.constant_row is None:
            return "no operand is a constant that is the same for all rows"
        return "" if self.lines(pair, layer.params) else "no constants of the short form are right for all inputs"

    def cost(self, layer: Layer, core: Core) -> Cost:
        pair, lines = self._parts(layer)
        return rows_cost(pair.rows, *_function_of(layer, lines), 4 * lines.words().size)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return in_place_offset(layer, input_index)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        pair, lines = self._parts(layer)
        words, rows = lines.words(), pair.rows
        passed = 4 * (rows.count // FOUR * (words.size // -(-rows.count // FOUR)) + rows.count % FOUR)
        rows = dataclasses.replace(rows, y_step=-passed)
        constant = Constant(f"{operands.prefix}_lines", "int32_t", words.astype(np.int32), 4, "offsets, factors")
        given = {"k": int(lines.k[0]), "mask": MASK}
        pointers = (operands.inputs[0], f"(const int8_t *){constant.name}")
        return rows_code(rows, _function_of(layer, lines)[1], given, pointers, [constant], operands)

    def _parts(self, layer: Layer) -> tuple[PairLayer, Lines]:
        pair = pair_layer(layer)
        lines = self.lines(pair, layer.params)
        assert lines is not None
        return pair, lines


def _function_of(layer: Layer, lines: Lines) -> tuple[Assembly, AsmFunction]:
    p = layer.params
    return _function(lines.has_factors, lines.fraction, p.activation_min, p.activation_max)


class SumConstants(_AffineRows):
    """Sums and differences with a constant."""

    name = "armv7em/sum_constants"
    operators: ClassVar[tuple[str, ...]] = ("add", "sub")

    def lines(self, pair: PairLayer, params: Any) -> Lines | None:
        factors, row = find_halves(params), pair.constant_row
        if factors is None or row is None:
            return None
        k, other = pair.rows.ordered(factors.a, factors.b)
        offset = ((other * (row.astype(np.int64) << 8)) >> 16) + factors.k
        return Lines(np.array([k], np.int64), offset, factors.fraction)


class MulConstants(_AffineRows):
    """Products with a constant."""

    name = "armv7em/mul_constants"
    operators: ClassVar[tuple[str, ...]] = ("mul",)

    def lines(self, pair: PairLayer, params: Any) -> Lines | None:
        p: Mul = params
        row = pair.constant_row
        if row is None:
            return None
        x_zero, y_zero = pair.rows.ordered(*p.zero_points)
        scale = (p.multiplier, p.shift, p.output_zero_point, p.activation_min, p.activation_max)
        return _find_lines(row.astype(np.int8).tobytes(), x_zero, y_zero, scale)


@lru_cache(maxsize=256)
def _find_lines(row: bytes, x_zero: int, y_zero: int, scale: tuple[int, int, int, int, int]) -> Lines | None:
    """Of a row of constants, int8, all with the same fraction."""
    values, places = np.unique(np.frombuffer(row, np.int8), return_inverse=True)
    factors = values.astype(np.int64) - y_zero
    expected = requantize((_INPUTS - x_zero)[None, :] * factors[:, None], *scale)
    multiplier, shift, _, low, high = scale
    for fraction in HALVES_FRACTIONS:
        rounded = np.rint(factors * multiplier * 2.0 ** (shift - 31 + fraction + 8)).astype(np.int64)
        k, offset = np.zeros_like(factors), np.zeros_like(factors)
        missing = np.ones(len(factors), bool)
        for near in NEIGHBOURS:
            tried = rounded + near
            products = (tried[:, None] * (_INPUTS << 8)) >> 16
            least = np.where(expected > low, (expected << fraction) - products, -LARGEST).max(axis=1)
            most = np.where(expected < high, ((expected + 1) << fraction) - 1 - products, LARGEST).min(axis=1)
            found = missing & (least <= most) & (np.abs(tried) < 1 << 31) & (np.abs(least + most) // 2 <= LARGEST)
            k[found], offset[found] = tried[found], ((least + most) // 2)[found]
            missing &= ~found
        if not missing.any():
            places = places.reshape(-1)
            return Lines(k[places], offset[places], fraction)
    return None


KERNELS: tuple[Kernel, ...] = (SumConstants(), MulConstants())
