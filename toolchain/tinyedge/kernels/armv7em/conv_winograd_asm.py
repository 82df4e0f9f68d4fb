"""The inner functions of `armv7em/conv_2d_winograd`; what they compute and why it is exact stands in conv_winograd.

Layouts, in words:  points [16][channels / 2][4 tiles], two channels a word;  sums [16][2 channels][4 tiles]
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from tinyedge.kernels.contract import AsmFunction
from tinyedge.kernels.thumb.assembly import Assembly, Ticks, clamp, load_constant, requantize

COLUMNS = 10
"""of input under four tiles"""
TILES = 4
POINTS = 16
SUM_BYTES = 32
"""of the sums of one point"""


@dataclass(frozen=True)
class Emitted:
    """A function, what one call of it takes, and its bytes of machine code."""

    function: AsmFunction
    ticks: Ticks
    code_bytes: int


@functools.cache
def emit_rows(channels: int, operation: str) -> Emitted:
    """rows[column] = first[column] +- second[column], then for each tile, with d the four columns under it,

    d0 - d2, d1 + d2, d2 - d1, d1 - d3: one row of the transformed tile. Two channels a word all along.

    operation  `ssub16` or `sadd16`
    """
    asm = Assembly({"first": "r0", "second": "r1", "points": "r2", "left": "r3", "other": "r8", "point": "r9"})
    pixel = 2 * channels
    apart = 2 * TILES * channels  # bytes from one point to the next

    def column(index: int) -> str:
        register = f"r{4 + index % 4}"
        offset = index * pixel
        asm(
            f"ldr {register}, [%first, #{offset}]",
            f"ldr %other, [%second, #{offset}]",
            f"{operation} {register}, {register}, %other",
        )
        return register

    asm.block("call")
    asm("push {r4-r9, lr}", f"movw %left, #{channels // 2}")
    asm.block("two channels", "two channels of ten columns")
    asm("10:")
    d0, d1 = column(0), column(1)
    for tile in range(TILES):
        d2, d3 = column(2 * tile + 2), column(2 * tile + 3)
        for number, (kind, one, two) in enumerate(
            (("ssub16", d0, d2), ("sadd16", d1, d2), ("ssub16", d2, d1), ("ssub16", d1, d3))
        ):
            asm(f"{kind} %point, {one}, {two}", f"str %point, [%points, #{number * apart + 4 * tile}]")
        d0, d1 = d2, d3
    asm("add %first, %first, #4", "add %second, %second, #4", f"add %points, %points, #{4 * TILES}")
    asm("subs %left, %left, #1", "bne 10b")
    asm.block("return")
    asm("pop {r4-r9, pc}")
    name = "difference" if operation == "ssub16" else "sum"
    comment = (
        f"Winograd F(2x2, 3x3), one row of four transformed tiles, {channels} channels: the {name} of two rows of\n"
        "input, then d0 - d2, d1 + d2, d2 - d1, d1 - d3 over the columns. r4-r7 columns, two channels a word."
    )
    function = asm.shared(
        f"te_winograd_{name}", "void NAME(const int16_t *first, const int16_t *second, int16_t *points)", comment
    )
    ticks = asm.ticks("call") + channels // 2 * asm.ticks("two channels") + asm.ticks("return")
    return Emitted(function, ticks, asm.code_bytes)


@functools.cache
def emit_products(channels: int) -> Emitted:
    """For each of 16 points the sums over channels of two filters times four tiles.

    Two channels of input: 3 LDRD, 8 SMLAD for 16 products. The first are SMUAD, so that nothing has to be cleared.
    """
    asm = Assembly(
        {"points": "r0", "weights": "r1", "x0": "r2", "x1": "r3", "w0": "r12", "w1": "lr", "at": "s0", "end": "s1"}
    )
    asm.block("call")
    asm("push {r4-r11, lr}", "vmov %at, r2", f"add r2, r2, #{POINTS * SUM_BYTES}", "vmov %end, r2")
    asm.block("point", "one point: eight sums")
    asm("10:")
    for step in range(channels // 2):
        asm("ldrd %w0, %w1, [%weights], #8")
        for half in (0, 2):
            asm("ldrd %x0, %x1, [%points], #8")
            for channel, weight in enumerate(("%w0", "%w1")):
                for tile, x in enumerate(("%x0", "%x1")):
                    total = f"r{4 + 4 * channel + half + tile}"
                    asm(f"smuad {total}, {weight}, {x}" if step == 0 else f"smlad {total}, {weight}, {x}, {total}")
    asm("vmov %x0, %at", "vmov %x1, %end", "stm %x0!, {r4-r11}", "vmov %at, %x0", "cmp %x0, %x1", "bne 10b")
    asm.block("return")
    asm("pop {r4-r11, pc}")
    comment = (
        f"Winograd F(2x2, 3x3), products: 16 points of four tiles by two output channels, over {channels} channels.\n"
        "r4-r11 sums, r2 r3 tiles, r12 lr weights; s0 s1 where sums go. 11 instructions for 16 products."
    )
    function = asm.shared(
        "te_winograd_products", "void NAME(const int16_t *points, const uint32_t *weights, int32_t *sums)", comment
    )
    ticks = asm.ticks("call") + POINTS * asm.ticks("point") + asm.ticks("return")
    return Emitted(function, ticks, asm.code_bytes)


@dataclass(frozen=True)
class OutputForm:
    """What tells one emitted `outputs` from another.

    channels  of the output; columns of the output
    fraction  of the linear requantization; None: double
    """

    channels: int
    columns: int
    fraction: int | None
    rectified: bool
    low: int
    high: int


@functools.cache
def emit_outputs(form: OutputForm) -> Emitted:
    """Two channels of four tiles: transform back (four times the convolution), requantize, store 2x2 outputs each."""
    registers = {"sums": "r0", "factors": "r1", "row": "r1", "output": "r2", "f0": "r3", "f1": "r12", "f2": "lr"}
    waiting = ("bias", "scale", "offset", "zero_point", "next", "end", "channel_end")
    asm = Assembly(registers | {name: f"s{number}" for number, name in enumerate(waiting)})
    pixel = form.channels
    asm.block("call")
    asm("push {r4-r11, lr}", "vmov %zero_point, r3", f"add r3, %sums, #{SUM_BYTES}", "vmov %channel_end, r3")
    asm.block("channel", "one channel of four tiles")
    asm("10: ldr %f0, [%factors], #4", "ldrd %f1, %f2, [%factors], #8", "vmov %next, %factors", "vmov %bias, %f0")
    asm("vmov %scale, %f1", "vmov %offset, %f2", f"add %f0, %sums, #{4 * TILES}", "vmov %end, %f0")
    asm.block("tile", "one tile: its columns first, then its rows; four times the bias is added in the middle")
    asm("20:")
    _transform_back(asm)
    _store_tile(asm, form)
    asm(f"add %output, %output, #{2 * pixel}")
    asm("add %sums, %sums, #4", "vmov %f0, %end", "cmp %sums, %f0", "bne 20b")
    asm.block("channel")
    load_constant(asm, "%f0", 2 * TILES * pixel - 1)
    asm("sub %output, %output, %f0", "vmov %factors, %next", "vmov %f0, %channel_end", "cmp %sums, %f0", "bne 10b")
    asm.block("return")
    asm("pop {r4-r11, pc}")
    rounding = f"linear, f = {form.fraction}" if form.fraction is not None else "double rounding"
    comment = (
        "Winograd F(2x2, 3x3), outputs: two channels of four tiles transformed back, requantized\n"
        f"({rounding}; clamp {form.low} .. {form.high}) and stored, {form.channels} channels a pixel,\n"
        f"{form.columns} pixels a row. "
        "r4-r7 upper row, r8-r11 lower row; s0-s6 keep what waits."
    )
    function = asm.shared(
        "te_winograd_outputs",
        "void NAME(const int32_t *sums, const uint32_t *factors, int8_t *output, int32_t zero_point)",
        comment,
    )
    ticks = asm.ticks("call") + 2 * asm.ticks("channel") + 2 * TILES * asm.ticks("tile") + asm.ticks("return")
    return Emitted(function, ticks, asm.code_bytes)


def _transform_back(asm: Assembly) -> None:
    """From 16 sums m to the four outputs in r4, r5 (upper row), r8, r9 (lower row), each four times too large."""
    for column in range(4):
        upper, lower = f"r{4 + column}", f"r{8 + column}"
        at = [f"[%sums, #{SUM_BYTES * (4 * row + column)}]" for row in range(4)]
        asm(f"ldr %f0, {at[1]}", f"ldr %f1, {at[2]}", f"ldr {upper}, {at[0]}", f"ldr {lower}, {at[3]}")
        if column == 1:  # this sum goes into all four outputs once
            asm("vmov %f2, %bias", "add %f0, %f0, %f2")
        asm(
            f"add {upper}, {upper}, %f0",
            f"add {upper}, {upper}, %f1",
            f"sub {lower}, %f0, {lower}",
            f"sub {lower}, {lower}, %f1",
        )
    for first in (4, 8):
        m0, m1, m2, m3 = (f"r{first + i}" for i in range(4))
        asm(f"add {m0}, {m0}, {m1}", f"add {m0}, {m0}, {m2}", f"sub {m1}, {m1}, {m2}", f"sub {m1}, {m1}, {m3}")


def _store_tile(asm: Assembly, form: OutputForm) -> None:
    outputs = ("r4", "r5", "r8", "r9")
    asm("vmov %f0, %scale", "vmov %f1, %offset")
    if form.fraction is None:
        asm(*(f"asr {o}, {o}, #2" for o in outputs), "vmov %f2, %zero_point")
        requantize(asm, outputs, "%f0", "%f1", "%f2", rectified=form.rectified)
    else:
        asm(*(f"lsl {o}, {o}, #6" for o in outputs))  # 256 / 4
        asm(*(f"smmla {o}, {o}, %f0, %f1" for o in outputs))
        asm(*(f"ssat {o}, #8, {o}, asr #{form.fraction}" for o in outputs))
    clamp(asm, outputs, form.low, form.high)
    row_bytes = form.columns * form.channels
    if row_bytes < 4096:
        asm(f"addw %row, %output, #{row_bytes}")
    else:
        load_constant(asm, "%row", row_bytes)
        asm("add %row, %output, %row")
    asm("strb r4, [%output]", f"strb r5, [%output, #{form.channels}]")
    asm("strb r8, [%row]", f"strb r9, [%row, #{form.channels}]")
