"""Depthwise kernels in little code: all sizes come with the layer, so one function serves every image.

As in `depthwise_planes` four channels at a time are gathered into scratch as int16 pairs of neighbouring columns,
band by band, with the border in place. Here the words of the four channels lie side by side, a quad for each pair of
columns, so that no offset depends on the size of the image: a row of quads is written by STM, and a channel's words
are 16 bytes apart. The emitted function knows the width and stride of the filter only; the rest comes with the layer,
in the words that LAYER names, then the constants of each channel.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass

from tinyedge.kernels.armv7em.depthwise_planes import AXES_WORDS, LANES, Axes, Planes, axes_words
from tinyedge.kernels.contract import word_offsets
from tinyedge.kernels.thumb.assembly import Assembly, Ticks, clamp, round_sums, scale_sums

QUAD = 4 * LANES

LAYER = word_offsets(
    "te_quads_layer",
    {
        **AXES_WORDS,
        "first": "bytes in front of the first quad of a row that holds input",
        "quads": "with two columns of input",
        "edges": "1: the first loaded quad is half border; 2: the last is",
        "row_bytes": "of a row of quads",
        "band": "rows of output in a band",
        "kept_rows": "that one band and the next have in common",
        "kept_bytes": "of those rows",
        "band_bytes": "from the first rows to those of the next band",
        "row_stride": "rows of input from an output row to the next",
        "words": "of all rows of quads",
        "outputs": "columns of the output",
        "wanted": "by the computation",
    },
)
HEADER_WORDS = len(LAYER.members)

_SLOTS = (
    "layer", "input", "output", "scratch", "channels", "group_constants", "constants", "skipped", "lane", "lanes",
    "row_at", "row_index", "rows_left", "band_rows", "band_out", "out_at", "quads_at", "row_quads", "rows", "spare",
)  # fmt: skip
FRAME_BYTES = 4 * len(_SLOTS)


def slot(name: str) -> str:
    """A variable of the function on its stack."""
    return f"[sp, #{4 * _SLOTS.index(name)}]"


def word(name: str, register: str) -> str:
    """A word of the layer whose address a register holds."""
    return f"[{register}, #{LAYER[name]}]"


@dataclass(frozen=True)
class Limits:
    """What is in the code besides the filter: the clamp, and whether it ends at the zero point or above."""

    low: int
    high: int
    rectified: bool


class RowComputation(abc.ABC):
    """What is done with a row of a channel's outputs.

    Emitted code finds the channel's quads in r0 and the place of the first output in r1. s0-s3 hold multiplier,
    divisor, zero point and bias, s5 and s6 bytes from an output column and row to the next, s7 the bytes of a row of
    quads; s9 and up are free, as are all core registers. r12 points to the weights when the channel is loaded.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits

    @abc.abstractmethod
    def emit_load(self, asm: Assembly) -> None:
        """Take the constants of a channel from r12 on: s0 to s3, and weights. Leave r12 behind them."""

    @abc.abstractmethod
    def emit_row(self, asm: Assembly) -> None:
        """Compute a row."""

    @abc.abstractmethod
    def row_ticks(self, asm: Assembly, planes: Planes) -> Ticks:
        """What a row takes."""

    def requantize(self, asm: Assembly, sums: list[str]) -> None:
        """Sums become outputs; takes r12, lr."""
        asm("vmov r12, s0")
        scale_sums(asm, sums, "r12", rectified=self.limits.rectified)
        asm("vmov r12, lr, s1, s2")
        round_sums(asm, sums, "r12", "lr")
        clamp(asm, sums, self.limits.low, self.limits.high)


def emit_quads(computation: RowComputation) -> Assembly:
    """The function: every channel of an image through the quads."""
    asm = Assembly({}, LAYER)
    _start(asm)
    _next_group(asm)
    _next_band(asm)
    _gather(asm)
    _channels(asm, computation)
    _finish_band(asm)
    return asm


def _start(asm: Assembly) -> None:
    asm("push {r4-r11, lr}", f"sub sp, sp, #{FRAME_BYTES}", "stm sp, {r0-r3}")
    asm(f"ldr r4, {word('channels', 'r0')}", f"str r4, {slot('channels')}", f"add r4, r0, #{4 * HEADER_WORDS}")
    asm(
        f"str r4, {slot('group_constants')}",
        f"ldr r4, {word('output_column', 'r0')}",
        f"ldr r5, {word('output_row', 'r0')}",
        "vmov s5, s6, r4, r5",
    )
    asm(
        f"ldr r4, {word('row_bytes', 'r0')}",
        "vmov s7, r4",
        f"ldr r4, {word('zero_pair', 'r0')}",
        f"ldr r5, {word('words', 'r0')}",
    )
    asm.block("border", "rows of border; parts of them stay so")
    asm("7: str r4, [r3], #4", "subs r5, r5, #1", "bne 7b")


def _next_group(asm: Assembly) -> None:
    """The last group may have fewer channels: it is read from earlier on, and its first words are skipped."""
    asm.block("group", "four channels; r5: how many of them were computed before")
    asm(f"1: ldr r4, {slot('channels')}", f"cmp r4, #{LANES}", "it hs", f"movhs r4, #{LANES}")
    asm(f"rsb r5, r4, #{LANES}", f"str r5, {slot('skipped')}", f"ldr r6, {slot('layer')}", f"ldr r1, {slot('input')}")
    asm("sub r1, r1, r5", f"ldr r7, {word('pad', 'r6')}", f"ldr r4, {word('input_row', 'r6')}", "mls r1, r7, r4, r1")
    asm(f"str r1, {slot('row_at')}", "rsb r7, r7, #0", f"str r7, {slot('row_index')}")
    asm(f"ldr r7, {word('output_rows', 'r6')}", f"str r7, {slot('rows_left')}", f"ldr r7, {slot('output')}")
    asm(
        f"str r7, {slot('band_out')}", f"ldr r1, {slot('scratch')}", f"ldr r4, {word('kept_rows', 'r6')}", "mov r11, r4"
    )


def _next_band(asm: Assembly) -> None:
    asm.block("band", "gather the rows of a band that are not there, r11 of them and those of its outputs")
    asm(f"2: ldr r5, {slot('layer')}", f"ldr r4, {slot('rows_left')}", f"ldr r3, {word('band', 'r5')}", "cmp r4, r3")
    asm(
        "it hi",
        "movhi r4, r3",
        f"str r4, {slot('band_rows')}",
        f"ldr r3, {word('row_stride', 'r5')}",
        "mla r11, r4, r3, r11",
    )
    asm(f"ldr r4, {word('input_column', 'r5')}", "mov r10, r4", f"ldr r4, {word('zero_bytes', 'r5')}", "mov r12, r4")


def _gather(asm: Assembly) -> None:
    asm.block("row", "one row of the input, if it is one")
    asm(f"20: str r1, {slot('row_quads')}", f"ldr r2, {slot('row_index')}", f"ldr r0, {slot('row_at')}")
    asm(
        f"ldr r5, {slot('layer')}",
        "adds r4, r2, #1",
        f"str r4, {slot('row_index')}",
        f"ldr r6, {word('input_row', 'r5')}",
    )
    asm("add r6, r6, r0", f"str r6, {slot('row_at')}", f"ldr r6, {word('input_rows', 'r5')}", "cmp r2, r6", "bhs 24f")
    asm(f"ldr r4, {word('first', 'r5')}", "add r1, r1, r4", f"ldr r4, {word('quads', 'r5')}", "mov lr, r4")
    asm(f"ldr r4, {word('edges', 'r5')}", "tst r4, #1", "beq 21f")
    asm.block("left edge")
    asm("ldr r3, [r0]", "add r0, r0, r10")
    _store_quad(asm, "r12", "r3")
    asm.block("row")
    asm("21: cmp lr, #0", "beq 23f")
    asm.block("gather", "two neighbouring pixels: four channels each become four pairs")
    asm("22: ldr r2, [r0]", "ldr r3, [r0, r10]", "add r0, r0, r10, lsl #1")
    _store_quad(asm, "r2", "r3")
    asm("subs lr, lr, #1", "bne 22b")
    asm.block("row")
    asm(f"23: ldr r5, {slot('layer')}", f"ldr r4, {word('edges', 'r5')}", "tst r4, #2", "beq 26f")
    asm.block("right edge")
    asm("ldr r2, [r0]")
    _store_quad(asm, "r2", "r12")
    asm("b 26f")
    asm.block("outside", "a row of the border")
    asm(f"24: ldr r2, {word('zero_pair', 'r5')}", "vmov r3, s7")
    asm.block("outside word")
    asm("25: str r2, [r1], #4", "subs r3, r3, #4", "bne 25b")
    asm.block("next row")
    asm(f"26: ldr r1, {slot('row_quads')}", "vmov r4, s7", "add r1, r1, r4", "subs r11, r11, #1", "bne.w 20b")


def _store_quad(asm: Assembly, left: str, right: str) -> None:
    """Words of two pixels, bytes 0 to 3 of each, become the words (left, right) of channels 0 to 3."""
    asm(f"pkhbt r4, {left}, {right}, lsl #16", f"pkhtb r5, {right}, {left}, asr #16")
    asm("sxtb16 r6, r4", "sxtb16 r7, r4, ror #8", "sxtb16 r8, r5", "sxtb16 r9, r5, ror #8", "stm r1!, {r6-r9}")


def _channels(asm: Assembly, computation: RowComputation) -> None:
    asm.block("channels", "the channels of the group one by one")
    asm(f"ldr r4, {slot('skipped')}", f"rsb r5, r4, #{LANES}", f"str r5, {slot('lanes')}", f"ldr r0, {slot('scratch')}")
    asm("add r0, r0, r4, lsl #2", f"str r0, {slot('lane')}", f"ldr r1, {slot('band_out')}", f"str r1, {slot('out_at')}")
    asm(f"ldr r12, {slot('group_constants')}")
    asm.block("channel")
    asm("3:")
    computation.emit_load(asm)
    asm(f"str r12, {slot('constants')}", f"ldr r0, {slot('lane')}", f"ldr r1, {slot('out_at')}")
    asm(f"ldr r12, {slot('band_rows')}", f"str r12, {slot('rows')}")
    asm.block("output row", "a row of outputs")
    asm(f"40: str r0, {slot('quads_at')}", "vmov s8, r1")
    computation.emit_row(asm)
    asm.block("output row")
    asm(
        f"ldr r0, {slot('quads_at')}",
        f"ldr r12, {slot('layer')}",
        f"ldr r12, {word('row_stride', 'r12')}",
        "vmov lr, s7",
    )
    asm("mla r0, r12, lr, r0", "vmov r1, s8", "vmov r12, s6", "add r1, r1, r12")
    asm(f"ldr r12, {slot('rows')}", "subs r12, r12, #1", f"str r12, {slot('rows')}", "bne.w 40b")
    asm.block("channel", "next channel")
    for name, step in (("lane", 4), ("out_at", 1)):
        asm(f"ldr r0, {slot(name)}", f"add r0, r0, #{step}", f"str r0, {slot(name)}")
    asm(f"ldr r12, {slot('constants')}", f"ldr r0, {slot('lanes')}", "subs r0, r0, #1", f"str r0, {slot('lanes')}")
    asm("bne.w 3b")


def _finish_band(asm: Assembly) -> None:
    asm.block("bands")
    asm(f"ldr r5, {slot('layer')}", f"ldr r6, {word('band', 'r5')}", f"ldr r4, {slot('rows_left')}", "subs r4, r4, r6")
    asm(f"str r4, {slot('rows_left')}", "ble 4f", f"ldr r1, {slot('band_out')}", "vmov r4, s6", "mla r1, r4, r6, r1")
    asm(
        f"str r1, {slot('band_out')}",
        f"ldr r1, {slot('scratch')}",
        f"ldr r4, {word('band_bytes', 'r5')}",
        "add r0, r1, r4",
    )
    asm("mov r11, #0", f"ldr r4, {word('kept_bytes', 'r5')}", "cmp r4, #0", "beq.w 2b")
    asm.block("move", "rows that the next band needs again come first")
    asm("30: ldm r0!, {r6-r9}", "stm r1!, {r6-r9}", f"subs r4, r4, #{QUAD}", "bne 30b")
    asm.block("bands")
    asm("b.w 2b")
    asm.block("end", "next four channels")
    asm("4:")
    for name in ("input", "output"):
        asm(f"ldr r4, {slot(name)}", f"add r4, r4, #{LANES}", f"str r4, {slot(name)}")
    asm(f"ldr r4, {slot('constants')}", f"str r4, {slot('group_constants')}")
    asm(f"ldr r4, {slot('channels')}", f"subs r4, r4, #{LANES}", f"str r4, {slot('channels')}", "bgt.w 1b")
    asm(f"add sp, sp, #{FRAME_BYTES}", "pop {r4-r11, pc}")


def quads_ticks(asm: Assembly, planes: Planes, axes: Axes, channels: int, computation: RowComputation) -> Ticks:
    """What a whole image takes."""
    rows = planes.kept_rows + axes.output_rows * planes.row_stride
    inside = len([row for row in range(rows) if 0 <= row - axes.pad < axes.input_rows])
    loaded = [planes.inside(at) for at in range(planes.words)]
    a_row = asm.ticks("row") + loaded.count((True, True)) * asm.ticks("gather")
    a_row += loaded.count((False, True)) * asm.ticks("left edge") + loaded.count((True, False)) * asm.ticks(
        "right edge"
    )
    gathered = rows * asm.ticks("next row") + inside * a_row
    gathered += (rows - inside) * (asm.ticks("outside") + LANES * planes.words * asm.ticks("outside word"))
    bands = -(-axes.output_rows // planes.band)
    moved = planes.kept_rows * planes.words * asm.ticks("move")
    group = asm.ticks("group") + asm.ticks("end") + gathered + (bands - 1) * moved
    group += bands * (asm.ticks("band") + asm.ticks("channels") + asm.ticks("bands"))
    a_channel = bands * asm.ticks("channel")
    a_channel += axes.output_rows * (asm.ticks("output row") + computation.row_ticks(asm, planes))
    border = planes.plane_bytes * asm.ticks("border")
    return asm.ticks("start") + border + -(-channels // LANES) * group + channels * a_channel


def quads_header(planes: Planes, axes: Axes, channels: int, zero: int, outputs: int, wanted: int) -> list[int]:
    """The words in front of the channels' constants; `outputs` along columns, `wanted` by the computation."""
    first, end = planes.loaded
    loaded = [planes.inside(at) for at in range(first, end)]
    edges = int((False, True) in loaded) + 2 * int((True, False) in loaded)
    row_bytes = QUAD * planes.words
    return LAYER.words(
        **axes_words(axes, channels, zero),
        first=QUAD * first,
        quads=loaded.count((True, True)),
        edges=edges,
        row_bytes=row_bytes,
        band=planes.band,
        kept_rows=planes.kept_rows,
        kept_bytes=planes.kept_rows * row_bytes,
        band_bytes=planes.band * planes.row_stride * row_bytes,
        row_stride=planes.row_stride,
        words=planes.plane_bytes,
        outputs=outputs,
        wanted=wanted,
    )
