"""The inner function of `armv7em/conv_2d_4x2`: a row of output pixels, two at a time, four output channels at a time.

Gather.  The windows of two pixels are widened to int16 and interleaved word by word into a panel: (pixel 0: taps 0, 2),
(pixel 1: taps 0, 2), (pixel 0: taps 1, 3), (pixel 1: taps 1, 3), ... the order in which SXTB16 delivers them.

Sums.    A weight word holds two output channels for two taps, a + 256 b in each half. The word as it is serves
         SMLAD and gives S_a + 256 S_b (mod 2**32); SXTB16 leaves a, and SMLAD with that gives S_a; the difference
         is 256 S_b. So int8 weights cost no more unpacking than one SXTB16 for four products.

         two taps of 4 channels x 2 pixels: LDRD (weights), LDRD (panel), 8 SMLAD, 2 SXTB16 = 12 instructions, 16 MACs

         A core that issues two instructions at once starts two LDR together, but an LDRD alone; there the same step is
         4 LDR, 8 SMLAD, 2 SXTB16, with loads side by side, two instructions before their use, and each SXTB16 behind
         an SMLAD: 14 instructions in 9 modelled cycles instead of 12 in 12. Steps are not mixed, since the loop is
         entered at any of them.

         Weights of fewer bits lie four channels to a word (conv_4x2_unpack).

Output.  `linear` or `double` requantization (conv_requantize), clamp, STRB. Stores go up channel by channel; the last
         four channels may overlap the ones before.

Registers: r4-r11 the sums, r2, r3 two pixels, r12, lr two weight words, r0 the panel, r1 the weights. What is needed
once per four channels waits in s0-s12, so that the loop neither loads nor stores anything else.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from tinyedge.kernels.armv7em.conv_4x2_unpack import REGISTERS, UNPACKS, WeightForm
from tinyedge.kernels.contract import AsmFunction, Offsets
from tinyedge.kernels.thumb.assembly import Assembly, Ticks, clamp, requantize

ROW = Offsets(
    "te_conv_4x2_row",
    {
        "segments": 0,
        "segment_count": 4,
        "step": 8,
        "segment_words": 12,
        "panel": 16,
        "panel_end": 20,
        "output": 24,
        "output_step": 28,
        "pairs": 32,
        "weights": 36,
        "weights_last": 40,
        "weights_end": 44,
        "overlap": 48,
        "zero_point": 52,
    },
    header="te_conv_2d_4x2.h",
)
"""The first five, and weights_end and overlap, are loaded together."""


@dataclass(frozen=True)
class RowForm:
    """What tells one emitted function from another; layers that agree in it share one.

    unroll    steps of two taps in the body of the loop, a power of two; the first turn starts in its middle
    steps     how many steps there are if the loop is unrolled completely, else 0: any number of steps
    fraction  of the linear requantization; None: double
    rectified of the double requantization
    low, high the clamp
    paired    the order for a core that issues two instructions at once
    weights   how they lie in the stream
    tiled     the stream has some of the layer's channels, whole groups of four: outputs of the others are stepped over
    """

    unroll: int
    steps: int
    fraction: int | None
    rectified: bool
    low: int
    high: int
    paired: bool = False
    weights: WeightForm = "int8"
    tiled: bool = False


@dataclass(frozen=True)
class RowTicks:
    """What the blocks of an emitted function take, each executed once."""

    call: Ticks
    pair: Ticks
    segment: Ticks
    odd_word: Ticks
    two_words: Ticks
    group: Ticks
    """four channels, without their steps"""
    steps: Ticks
    """of a word of weights, or two: `Unpack.steps` steps"""
    turn: Ticks
    """of the loop over steps, without these"""


@functools.cache
def emit_row(form: RowForm) -> tuple[AsmFunction, RowTicks, int]:
    """The function, what its blocks take, and its bytes of machine code."""
    unpack = UNPACKS[form.weights]
    asm = Assembly(REGISTERS, ROW)
    _begin(asm, form)
    _gather(asm, sums=unpack.sums)
    _sum_up(asm, form)
    _store(asm, form)
    _end(asm, tiled=form.tiled)
    loop = f"{form.steps} steps of two taps" if form.steps else f"any number of steps of two taps, {form.unroll} a turn"
    output = f"linear, f = {form.fraction}" if form.fraction is not None else "double rounding"
    comment = (
        "A row of output pixels, two pixels by four channels at a time: gathers both windows into the panel, sums up\n"
        f"over {loop}, requantizes ({output}; clamp {form.low} .. {form.high}).\n"
        "r4-r11 sums, r2 r3 pixels, r12 lr weights, r0 panel, r1 weights' address; s0-s8 keep what waits.\n"
        f"{unpack.cost(paired=form.paired)}."
    )
    function = asm.shared(unpack.stem, "void NAME(te_conv_4x2_row *row)", comment)
    ticks = RowTicks(
        call=asm.ticks("begin") + asm.ticks("end"),
        pair=asm.ticks("pair") + asm.ticks("sum up") + asm.ticks("next pair"),
        segment=asm.ticks("segment") + asm.ticks("next segment"),
        odd_word=asm.ticks("odd word"),
        two_words=asm.ticks("two words"),
        group=asm.ticks("group") + asm.ticks("store"),
        steps=_ticks_of_steps(form),
        turn=asm.ticks("turn") if not form.steps else Ticks(),
    )
    return function, ticks, asm.code_bytes


def _ticks_of_steps(form: RowForm) -> Ticks:
    asm = Assembly(REGISTERS)
    UNPACKS[form.weights].multiply(asm, first=False, paired=form.paired)
    return asm.ticks("start")


def _begin(asm: Assembly, form: RowForm) -> None:
    asm.block("begin")
    asm(
        "push {r4-r11, lr}",
        "vmov %row, r0",
        f"ldr r1, [r0, #{ROW['panel']}]",
        f"ldr r2, [r0, #{ROW['panel_end']}]",
        f"ldr r3, [r0, #{ROW['output']}]",
        f"ldr r4, [r0, #{ROW['output_step']}]",
        f"ldr r5, [r0, #{ROW['pairs']}]",
        "vmov %panel_begin, r1",
        "vmov %panel_end, r2",
        "vmov %out0, r3",
        "add r3, r3, r4",
        "vmov %out1, r3",
    )
    if form.fraction is None:
        asm(f"ldr r3, [r0, #{ROW['zero_point']}]", "vmov %zero_point, r3")
    unpack = UNPACKS[form.weights]
    if unpack.sums:
        asm(f"ldr r3, [r0, #{ROW['step']}]", "vmov %step, r3")
    if form.tiled:
        asm("vmov r3, %out0", "vmov %base, r3")
    if not form.steps:
        # 8 bytes of panel a step. The first turn skips as many steps as all of them lack to whole turns.
        asm(
            "sub r2, r2, r1",
            f"rsb r2, r2, #{8 * form.unroll}",
            f"and r2, r2, #{8 * (form.unroll - 1)}",
            "adr r3, 60f",
            *unpack.skip(paired=form.paired),
            "orr r3, r3, #1",
            "vmov %entry, r3",
        )


def _gather(asm: Assembly, *, sums: bool) -> None:
    """r8 table of segments, r9 how many, r10 step, r11 words of each, r12 panel; r0, r1 the two pixels.

    sums  eight times the sum of each window is added up in lr, r2; r10 has the factors, and the step waits
    """
    step, moved = ("r7", "r7") if sums else ("r10", "r2")

    def word() -> None:
        asm(
            "ldr r4, [r0], #4",
            "ldr r5, [r1], #4",
            "sxtb16 r6, r4, ror #8",
            "sxtb16 r7, r5, ror #8",
            "sxtb16 r4, r4",
            "sxtb16 r5, r5",
            "stm r12!, {r4-r7}",
        )
        if sums:
            asm(*(f"smlad {total}, r{at}, r10, {total}" for at, total in ((4, "lr"), (5, "r2"), (6, "lr"), (7, "r2"))))

    asm.block("pair", "gather the windows of two pixels")
    asm("10:", "vmov %pairs, r5", "vmov r0, %row", "ldm r0, {r8-r12}")
    if sums:
        asm("mov r10, #0x00080008", "mov lr, #0", "mov r2, #0")
    asm.block("segment")
    asm("20: ldr r0, [r8]", "lsrs r3, r11, #1")
    if sums:
        asm(f"vmov {step}, %step")
    asm(
        f"add r1, r0, {step}",
        f"add {moved}, r0, {step}, lsl #1",
        f"str {moved}, [r8], #4",
        "bcc 30f",
    )
    asm.block("odd word")
    word()
    asm("cmp r3, #0", "beq 40f")
    asm.block("two words")
    asm("30:")
    word()
    word()
    asm("subs r3, r3, #1", "bne 30b")
    asm.block("next segment")
    asm("40: subs r9, r9, #1", "bne 20b")
    if sums:
        asm.block("pair")
        asm("vmov %sum0, lr", "vmov %sum1, r2")


def _sum_up(asm: Assembly, form: RowForm) -> None:
    asm.block("sum up", "sum up, four channels at a time")
    unpack = UNPACKS[form.weights]
    asm(
        "vmov r0, %row",
        f"ldr %weights, [r0, #{ROW['weights']}]",
        f"ldr %x0, [r0, #{ROW['weights_end' if form.tiled else 'weights_last']}]",
        "vmov %last, %x0",
    )
    asm.block("group", f"biases of {', '.join(unpack.mixes)}")
    asm("50:", "vmov %panel, %panel_begin", "ldm %weights!, {%b1, %a1, %d1, %c1}")
    if form.steps:
        for step in range(0, form.steps, unpack.steps):
            asm.block("step")
            unpack.multiply(asm, first=step == 0, paired=form.paired)
        return
    asm("mov %b0, %b1", "mov %a0, %a1", "mov %d0, %d1", "mov %c0, %c1", "vmov %w0, %entry", "bx %w0")
    asm(".balign 4", "60:")
    for _ in range(0, form.unroll, unpack.steps):
        asm.block("step")
        unpack.multiply(asm, first=False, paired=form.paired)
    asm.block("turn")
    asm("vmov %w0, %panel_end", "cmp %panel, %w0", "bne 60b")


def _store(asm: Assembly, form: RowForm) -> None:
    unpack = UNPACKS[form.weights]
    asm.block("store", unpack.separation)
    unpack.separate(asm, shifted=form.fraction is not None)
    if form.fraction is None:
        asm("vmov %panel, %zero_point")
    asm("vmov %x0, %out0", "vmov %x1, %out1")
    for channel in unpack.order:
        pair = (f"%{channel}0", f"%{channel}1")
        asm("ldrd %w0, %w1, [%weights], #8")
        if form.fraction is None:
            requantize(asm, pair, "%w0", "%w1", "%panel", rectified=form.rectified)
        else:
            asm(*(f"smmla {p}, {p}, %w0, %w1" for p in pair))
            asm(*(f"ssat {p}, #8, {p}, asr #{form.fraction}" for p in pair))
        clamp(asm, pair, form.low, form.high)
        asm(f"strb {pair[0]}, [%x0], #1", f"strb {pair[1]}, [%x1], #1")
    asm("vmov %out0, %x0", "vmov %out1, %x1", "vmov %w0, %last", "cmp %weights, %w0", "bne 50b")


def _end(asm: Assembly, *, tiled: bool) -> None:
    if tiled:
        asm.block("next pair", "the other channels of both pixels are not in this tile")
        asm(
            "vmov r0, %row",
            f"ldr r4, [r0, #{ROW['output_step']}]",
            "vmov r3, %base",
            "add r3, r3, r4, lsl #1",
            "vmov %base, r3",
            "vmov %out0, r3",
            "add r3, r3, r4",
            "vmov %out1, r3",
            "vmov r5, %pairs",
            "subs r5, r5, #1",
            "bne 10b",
        )
        asm.block("end")
        asm("pop {r4-r11, pc}")
        return
    asm.block("next pair", "the last four channels overlap those before, unless that is done")
    asm(
        "vmov r0, %row",
        f"ldrd r5, r6, [r0, #{ROW['weights_end']}]",
        f"ldr r4, [r0, #{ROW['output_step']}]",
        "vmov %last, r5",
        "cmp %weights, r5",
        "beq 70f",
    )
    asm.block("overlap")
    asm("sub r2, r2, r6", "sub r3, r3, r6", "vmov %out0, r2", "vmov %out1, r3", "b 50b")
    asm.block("next pair")
    # Pixel 1's outputs end where the next pair's begin.
    asm("70: vmov %out0, r3", "add r3, r3, r4", "vmov %out1, r3", "vmov r5, %pairs", "subs r5, r5, #1", "bne 10b")
    asm.block("end")
    asm("pop {r4-r11, pc}")
