"""`armv7em/conv_2d_4x2` with a function of its own for the last pixel of rows of odd width.

Without it that pixel is computed as a pair with itself. Rows of five pixels, a call each where layers run as a stream
of rows, then take a fifth more instructions than pairs alone would.

The stream of weights is that of the pairs, so sums are a + 256 b and a as there (conv_4x2_row). With one pixel, four
registers of sums are free for weights:

    four taps of 4 channels x 1 pixel: LDM (weights), LDRD (panel), 8 SMLAD, 4 SXTB16 = 14 instructions, 16 MACs

Registers: r4, r6, r8, r10 sums, r5, r7, r9, r11 weights, r2, r3 the pixel, r0 the panel, r1 the weights' address.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace

from tinyedge.boards import Core
from tinyedge.kernels.armv7em.conv_4x2 import Conv2D4x2, Conv2D4x2Unrolled, layer_ticks
from tinyedge.kernels.armv7em.conv_4x2_layout import Layout, find_layout, groups_of_channels
from tinyedge.kernels.armv7em.conv_4x2_row import ROW, RowForm, emit_row
from tinyedge.kernels.contract import AsmFunction, Code, Cost, Kernel, Operands
from tinyedge.kernels.thumb.assembly import Assembly, Ticks, clamp, requantize
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D

_REGISTERS = {
    "b": "r4", "a": "r6", "d": "r8", "c": "r10", "ba": "r5", "dc": "r7", "ba2": "r9", "dc2": "r11",
    "x": "r2", "x2": "r3", "panel": "r0", "weights": "r1", "spare": "r12", "spare2": "lr",
    # where registers wait
    "out": "s0", "last": "s2", "row": "s3", "panel_begin": "s4", "panel_end": "s5", "entry": "s6", "zero_point": "s7",
}  # fmt: skip


@dataclass(frozen=True)
class OddTicks:
    """What the blocks of an emitted function take, each executed once."""

    call: Ticks
    segment: Ticks
    odd_word: Ticks
    two_words: Ticks
    group: Ticks
    """four channels, without their taps"""
    four_taps: Ticks
    turn: Ticks
    """of the loop over taps, without these"""


@functools.cache
def emit_odd(form: RowForm) -> tuple[AsmFunction, OddTicks, int]:
    """The function for layers that `form` serves, what its blocks take, and its bytes of machine code."""
    asm = Assembly(_REGISTERS, ROW)
    _begin(asm, form)
    _gather(asm)
    _sum_up(asm, form)
    _store(asm, form)
    comment = (
        "One output pixel, four channels at a time: gathers its window into the panel, sums up, requantizes\n"
        f"(clamp {form.low} .. {form.high}).\n"
        "r4 r6 r8 r10 sums, r5 r7 r9 r11 weights, r2 r3 the pixel, r0 panel, r1 weights' address.\n"
        "14 instructions for four taps = 16 MACs."
    )
    function = asm.shared("te_conv_4x1", "void NAME(te_conv_4x2_row *row)", comment)
    taps = Assembly(_REGISTERS)
    _four_taps(taps)
    ticks = OddTicks(
        call=asm.ticks("call"),
        segment=asm.ticks("segment") + asm.ticks("next segment"),
        odd_word=asm.ticks("odd word"),
        two_words=asm.ticks("two words"),
        group=asm.ticks("group") + asm.ticks("store"),
        four_taps=taps.ticks("start"),
        turn=asm.ticks("turn") if not form.steps else Ticks(),
    )
    return function, ticks, asm.code_bytes


def _begin(asm: Assembly, form: RowForm) -> None:
    asm.block("call")
    asm("push {r4-r11, lr}", "vmov %row, r0", f"ldr r1, [r0, #{ROW['panel']}]", f"ldr r2, [r0, #{ROW['panel_end']}]")
    asm(f"ldr r3, [r0, #{ROW['output']}]", "vmov %panel_begin, r1", "vmov %out, r3")
    asm("sub r2, r2, r1", "lsr r2, r2, #1", "add r3, r1, r2", "vmov %panel_end, r3")  # half of a panel for two
    if form.fraction is None:
        asm(f"ldr r3, [r0, #{ROW['zero_point']}]", "vmov %zero_point, r3")
    if not form.steps:
        # 8 bytes of panel and 56 of code for four taps. The first turn skips what all of them lack to whole turns.
        turn = 4 * form.unroll
        asm(f"rsb r2, r2, #{turn}", f"and r2, r2, #{turn - 8}", "rsb r2, r2, r2, lsl #3")
        asm("adr r3, 60f", "add r3, r3, r2", "orr r3, r3, #1", "vmov %entry, r3")


def _gather(asm: Assembly) -> None:
    """r8 table of segments, r9 how many, r11 words of each, r12 panel."""
    asm("vmov r0, %row", "ldm r0, {r8-r12}")
    asm.block("segment", "gather the window")
    asm("20: ldr r0, [r8], #4", "lsrs r3, r11, #1", "bcc 30f")
    asm.block("odd word")
    asm("ldr r4, [r0], #4", "sxtb16 r5, r4, ror #8", "sxtb16 r4, r4", "stm r12!, {r4, r5}", "cmp r3, #0", "beq 40f")
    asm.block("two words")
    asm("30: ldr r4, [r0], #4", "ldr r6, [r0], #4", "sxtb16 r5, r4, ror #8", "sxtb16 r4, r4", "sxtb16 r7, r6, ror #8")
    asm("sxtb16 r6, r6", "stm r12!, {r4-r7}", "subs r3, r3, #1", "bne 30b")
    asm.block("next segment")
    asm("40: subs r9, r9, #1", "bne 20b")


def _sum_up(asm: Assembly, form: RowForm) -> None:
    asm.block("call", "sum up, four channels at a time")
    asm("vmov r0, %row", f"ldr %weights, [r0, #{ROW['weights']}]")
    asm(f"ldr %x, [r0, #{ROW['weights_last']}]", "vmov %last, %x")
    asm.block("group", "biases of a + 256 b, a, c + 256 d, c")
    asm("50: vmov %panel, %panel_begin", "ldm %weights!, {%b, %a, %d, %c}")
    if form.steps:
        for _ in range(form.steps // 2):
            asm.block("taps")
            _four_taps(asm)
        return
    asm("vmov %spare, %entry", "bx %spare", ".balign 4", "60:")
    for _ in range(form.unroll // 2):
        asm.block("taps")
        _four_taps(asm)
    asm.block("turn")
    asm("vmov %spare, %panel_end", "cmp %panel, %spare", "bne 60b")


def _four_taps(asm: Assembly) -> None:
    asm("ldm %weights!, {%ba, %dc, %ba2, %dc2}", "ldrd %x, %x2, [%panel], #8")
    for ba, dc, x in (("ba", "dc", "x"), ("ba2", "dc2", "x2")):
        asm(f"smlad %b, %{ba}, %{x}, %b", f"smlad %d, %{dc}, %{x}, %d")
        asm(f"sxtb16 %{ba}, %{ba}", f"sxtb16 %{dc}, %{dc}")
        asm(f"smlad %a, %{ba}, %{x}, %a", f"smlad %c, %{dc}, %{x}, %c")


def _store(asm: Assembly, form: RowForm) -> None:
    asm.block("store", "256 b = (a + 256 b) - a")
    asm("sub %b, %b, %a", "sub %d, %d, %c")
    if form.fraction is None:
        asm("asr %b, %b, #8", "asr %d, %d, #8", "vmov %panel, %zero_point")
    else:
        asm("lsl %a, %a, #8", "lsl %c, %c, #8")
    asm("vmov %x, %out")
    for channel in ("%a", "%b", "%c", "%d"):
        asm("ldrd %spare, %spare2, [%weights], #8")
        if form.fraction is None:
            requantize(asm, (channel,), "%spare", "%spare2", "%panel", rectified=form.rectified)
        else:
            asm(f"smmla {channel}, {channel}, %spare, %spare2", f"ssat {channel}, #8, {channel}, asr #{form.fraction}")
        clamp(asm, (channel,), form.low, form.high)
        asm(f"strb {channel}, [%x], #1")
    asm("vmov %out, %x", "vmov %spare, %last", "cmp %weights, %spare", "bne.w 50b")
    asm.block("call", "the last four channels overlap those before, unless that is done")
    asm("vmov r0, %row", f"ldrd r5, r6, [r0, #{ROW['weights_end']}]", "vmov %last, r5", "cmp %weights, r5", "beq 70f")
    asm.block("overlap")
    asm("sub %x, %x, r6", "vmov %out, %x", "b.w 50b")
    asm.block("call")
    asm("70: pop {r4-r11, pc}")


# -- kernels ---------------------------------------------------------------------------------------------------------


class _Odd(Conv2D4x2):
    """What a kernel in pairs becomes with a function for the last pixel."""

    def fits(self, layer: Layer, core: Core) -> str:
        width = find_layout(layer.params).width
        return super().fits(layer, core) or ("" if width % 2 else f"{width} pixels of a row are pairs")

    def cost(self, layer: Layer, core: Core) -> Cost:
        params: Conv2D = layer.params
        paired, form, layout = super().cost(layer, core), self._form(params), find_layout(params)
        function, _, code_bytes = emit_odd(form)
        ticks = layer_ticks(_of_pairs(params, layout), form) + layout.rows * pixel_ticks(params, layout, form)
        pair = emit_row(self._form_on(core, params))[0].name
        used = [part for part in paired.shared_code if layout.width > 1 or part[0] != pair]
        shared = (*used, (function.name, code_bytes))
        return replace(paired, cycles=ticks.cycles, instructions=ticks.instructions, shared_code=shared)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        """The parameters name the function for the last pixel, too; of rows of one pixel nothing else."""
        code, form = super().emit(layer, core, operands), self._form(layer.params)
        function, _, _ = emit_odd(form)
        pair = emit_row(self._form_on(core, layer.params))[0]
        if find_layout(layer.params).width == 1:
            others = tuple(each for each in code.assembler if each.name != pair.name)
            functions = code.functions.replace(f".run = {pair.name},", f".run = {function.name},")
            return replace(code, functions=functions, assembler=(*others, function))
        run = f".run = {pair.name},\n"
        functions = code.functions.replace(run, f"{run}    .run_odd = {function.name},\n")
        return replace(code, functions=functions, assembler=(*code.assembler, function))


class Conv2D4x2Odd(_Odd):
    """Convolutions of an odd number of output pixels in a row."""

    name = "armv7em/conv_2d_4x2_odd"


class Conv2D4x2UnrolledOdd(_Odd, Conv2D4x2Unrolled):
    """The same with all taps in a line."""

    name = "armv7em/conv_2d_4x2_unrolled_odd"


def _of_pairs(params: Conv2D, layout: Layout) -> Conv2D:
    """The layer without the last pixel of each row that is computed."""
    w = params.window
    if layout.rows == w.output_h:
        return replace(params, window=replace(w, output_w=w.output_w - 1))
    return replace(params, window=replace(w, output_h=1, output_w=layout.width - 1))


def pixel_ticks(params: Conv2D, layout: Layout, form: RowForm) -> Ticks:
    """What the last pixel of a row takes."""
    _, ticks, _ = emit_odd(form)
    segment = ticks.segment + layout.segment_words % 2 * ticks.odd_word + layout.segment_words // 2 * ticks.two_words
    turns = -(-layout.steps // form.unroll) if form.unroll else 0
    group = ticks.group + layout.steps // 2 * ticks.four_taps + turns * ticks.turn
    return ticks.call + layout.segments * segment + len(groups_of_channels(params.output_channels)) * group


KERNELS: tuple[Kernel, ...] = (Conv2D4x2Odd(), Conv2D4x2UnrolledOdd())
