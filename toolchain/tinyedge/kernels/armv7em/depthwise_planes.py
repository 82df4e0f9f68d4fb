"""What depthwise kernels share: four channels at a time are gathered into planes of int16 pairs, band by band.

NHWC is the wrong order for SMLAD, which wants two neighbours of one channel in a word. So the rows a band of outputs
needs are copied to scratch: four planes, one a channel, whose words hold two neighbouring columns as int16, with the
border already in place as the input's zero point. That takes 12 instructions per 8 values. A band is gathered before
it is computed and the rows the next band needs again stay in the planes, so the output may lie over the input.

`rows` and `columns` are those of the planes: pairs run along columns. An image may be taken transposed.

The emitted function knows columns, kernel and stride; rows, channels, zero points and weights come with the layer, in
the words that LAYER names, then the constants of each channel, as the function that computes one reads them.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.window import Window
from tinyedge.kernels.contract import word_offsets
from tinyedge.kernels.thumb.assembly import Assembly, Ticks, load_constant

LANES = 4
"""channels gathered together: a word of the input"""

AXES_WORDS = {
    "zero_pair": "the input's zero point as two int16",
    "zero_bytes": "the same as four int8",
    "input_rows": "",
    "pad": "rows of border above",
    "input_row": "bytes from an input row to the next",
    "input_column": "bytes from an input column to the next",
    "output_column": "bytes from an output column to the next",
    "output_row": "bytes from an output row to the next",
    "output_rows": "",
    "channels": "",
}
"""the words that headers begin with, as `axes_words` gives them"""
LAYER = word_offsets("te_planes_layer", AXES_WORDS)
HEADER_WORDS = len(LAYER.members)

SCRATCH_BYTES = 2048
"""beyond which bands are not made longer"""
LONGEST_TURN = 5
"""pairs of pixels that are gathered without a loop, or in a turn of it"""
MOST_OFFSET = 4095
"""of a load or store"""
MOST_PLANE_BYTES = 1364
"""three planes are reached by the 12-bit offset of a store"""

_SLOTS = (
    "column_step", "row_step", "strips", "plane", "strip_out", "out_at", "lanes", "band_rows", "scratch", "row_at",
    "row_index", "rows_left", "constants", "band_out", "channels", "input", "output", "layer", "group_constants",
    "skipped",
)  # fmt: skip
FRAME_BYTES = 4 * len(_SLOTS)


def slot(name: str) -> str:
    """A variable of the function on its stack."""
    return f"[sp, #{4 * _SLOTS.index(name)}]"


def word(name: str, register: str) -> str:
    """A word of the layer whose address a register holds."""
    return f"[{register}, #{LAYER[name]}]"


@dataclass(frozen=True)
class Planes:
    """The geometry a function is made for; along columns, unless it says rows.

    band   rows of output computed from one filling of the planes
    steps  bytes from an input column to the next, from an output column, from an output row: then the code is made for
           them and for no other number of channels, else they come with the layer
    """

    columns: int
    outputs: int
    pad: int
    kernel_h: int
    kernel_w: int
    row_stride: int
    stride: int
    band: int
    steps: tuple[int, int, int] | None = None

    @property
    def words(self) -> int:
        """Words of a row of a plane."""
        return -(-((self.outputs - 1) * self.stride + self.kernel_w) // 2)

    @property
    def row_bytes(self) -> int:
        return 4 * self.words

    @property
    def kept_rows(self) -> int:
        """Rows that one band and the next have in common."""
        return self.kernel_h - self.row_stride

    @property
    def band_rows(self) -> int:
        """Rows of the planes."""
        return self.band * self.row_stride + self.kept_rows

    @property
    def plane_bytes(self) -> int:
        return self.row_bytes * self.band_rows

    @property
    def scratch_bytes(self) -> int:
        return LANES * self.plane_bytes

    def inside(self, word: int) -> tuple[bool, bool]:
        """Whether the columns of a word are columns of the input."""
        first = 2 * word - self.pad
        return 0 <= first < self.columns, 0 <= first + 1 < self.columns

    @property
    def loaded(self) -> tuple[int, int]:
        """The first word with a column of the input, and the one behind the last."""
        words = [word for word in range(self.words) if any(self.inside(word))]
        return (words[0], words[-1] + 1) if words else (0, 0)


@dataclass(frozen=True)
class Axes:
    """Rows of planes and how to go through memory: what `Planes` leaves to the layer. Steps in pixels."""

    input_rows: int
    output_rows: int
    pad: int
    input_row: int
    input_column: int
    output_row: int
    output_column: int


def axes_words(axes: Axes, channels: int, zero: int) -> dict[str, int]:
    """What AXES_WORDS names, for pixels of `channels` bytes and the input's zero point; steps in bytes."""
    return {
        "zero_pair": (zero & 0xFFFF) * 0x10001,
        "zero_bytes": (zero & 0xFF) * 0x01010101,
        "input_rows": axes.input_rows,
        "pad": axes.pad,
        "input_row": axes.input_row * channels,
        "input_column": axes.input_column * channels,
        "output_column": axes.output_column * channels,
        "output_row": axes.output_row * channels,
        "output_rows": axes.output_rows,
        "channels": channels,
    }


def planes_of(window: Window, band_outputs: int, *, transposed: bool) -> tuple[Planes, Axes]:
    """A window in terms of planes. `transposed`: pairs run along the image's height.

    band_outputs  a band has pairs of rows until it has so many outputs of a channel, or fills `SCRATCH_BYTES`
    """
    w = window
    if transposed:
        axes = Axes(w.input_w, w.output_w, w.pad_left, 1, w.input_w, 1, w.output_w)
        sizes = (w.input_h, w.output_h, w.pad_top, w.kernel_w, w.kernel_h, w.stride_w, w.stride_h)
    else:
        axes = Axes(w.input_h, w.output_h, w.pad_top, w.input_w, 1, w.output_w, 1)
        sizes = (w.input_w, w.output_w, w.pad_left, w.kernel_h, w.kernel_w, w.stride_h, w.stride_w)
    rows = axes.output_rows
    bands = [Planes(*sizes, band) for band in (*range(2, rows, 2), rows) if band <= max(2, rows)]
    chosen = bands[0]
    for planes in bands[1:]:
        little = chosen.band * chosen.outputs < band_outputs or rows == chosen.band + 1
        if little and planes.scratch_bytes <= SCRATCH_BYTES:
            chosen = planes
    return chosen, axes


class Computation(abc.ABC):
    """What is done with a channel's plane.

    Emitted code finds the plane in r0 and the output in r1, may use every register, and walks down `band_rows` rows.
    """

    @abc.abstractmethod
    def emit_start(self, asm: Assembly) -> None:
        """Once, with bytes from an output column and row to the next in r4, r5; others are taken."""

    @abc.abstractmethod
    def emit_load(self, asm: Assembly) -> None:
        """Take a channel's constants from r12 on and leave r12 behind them."""

    @abc.abstractmethod
    def emit_rows(self, asm: Assembly) -> None:
        """Compute the rows of the band."""

    @abc.abstractmethod
    def ticks(self, asm: Assembly, rows: int) -> Ticks:
        """What one channel takes for some rows of a band."""


def emit_planes(planes: Planes, computation: Computation) -> Assembly:
    """The function: every channel of an image through the planes."""
    asm = Assembly({}, LAYER)
    _start(asm, planes, computation)
    _next_group(asm, planes)
    _next_band(asm, planes)
    _gather(asm, planes)
    _channels(asm, planes, computation)
    _finish_band(asm, planes)
    asm.block("end", "next four channels")
    asm("4:", *_add_to("input", LANES), *_add_to("output", LANES))
    asm(f"ldr r4, {slot('constants')}", f"str r4, {slot('group_constants')}")
    asm(f"ldr r4, {slot('channels')}", f"subs r4, r4, #{LANES}", f"str r4, {slot('channels')}", "bgt.w 1b")
    asm(f"add sp, sp, #{FRAME_BYTES}", "pop {r4-r11, pc}")
    return asm


def _add_to(name: str, value: int) -> tuple[str, str, str]:
    return f"ldr r4, {slot(name)}", f"add r4, r4, #{value}", f"str r4, {slot(name)}"


def _start(asm: Assembly, planes: Planes, computation: Computation) -> None:
    asm("push {r4-r11, lr}", f"sub sp, sp, #{FRAME_BYTES}")
    asm(f"str r0, {slot('layer')}", f"str r1, {slot('input')}", f"str r2, {slot('output')}")
    asm(
        f"str r3, {slot('scratch')}",
        f"ldrd r4, r5, {word('output_column', 'r0')}",
        f"strd r4, r5, {slot('column_step')}",
    )
    computation.emit_start(asm)
    asm(
        f"ldr r4, {word('channels', 'r0')}",
        f"str r4, {slot('channels')}",
        f"add r4, r0, #{4 * HEADER_WORDS}",
        f"str r4, {slot('group_constants')}",
    )
    first, end = planes.loaded
    if first > 0 or end < planes.words:
        # Words that lie in the border altogether are written once.
        asm(f"ldr r4, {word('zero_pair', 'r0')}", f"movw r5, #{planes.plane_bytes}")
        asm.block("border", "planes full of border")
        asm("7: str r4, [r3], #4", "subs r5, r5, #1", "bne 7b")


def _next_group(asm: Assembly, planes: Planes) -> None:
    """The last group may have fewer channels: it is read from earlier on, and its first planes are skipped."""
    asm.block("group", "four channels; r5: how many of them were computed before")
    asm(f"1: ldr r4, {slot('channels')}", f"cmp r4, #{LANES}", "it hs", f"movhs r4, #{LANES}")
    asm(f"rsb r5, r4, #{LANES}", f"str r5, {slot('skipped')}")
    asm(f"ldr r6, {slot('layer')}", f"ldr r1, {slot('input')}", "sub r1, r1, r5", f"ldr r7, {word('pad', 'r6')}")
    asm(f"ldr r8, {word('input_row', 'r6')}", "mls r1, r7, r8, r1", f"str r1, {slot('row_at')}")
    asm(
        "rsb r7, r7, #0",
        f"str r7, {slot('row_index')}",
        f"ldr r7, {word('output_rows', 'r6')}",
        f"str r7, {slot('rows_left')}",
    )
    asm(f"ldr r7, {slot('output')}", f"str r7, {slot('band_out')}")
    asm(f"ldr r1, {slot('scratch')}", f"mov r11, #{planes.kept_rows}")


def _next_band(asm: Assembly, planes: Planes) -> None:
    asm.block("band", "gather the rows of a band that are not in the planes, r11 of them and those of its outputs")
    asm(f"2: ldr r4, {slot('rows_left')}", f"cmp r4, #{planes.band}", "it hs", f"movhs r4, #{planes.band}")
    asm(f"str r4, {slot('band_rows')}")
    if planes.row_stride == 1:
        asm("add r11, r11, r4")
    else:
        asm(f"mov r5, #{planes.row_stride}", "mla r11, r4, r5, r11")
    asm(f"ldr r5, {slot('layer')}", f"ldr r10, {word('input_column', 'r5')}", f"ldr r12, {word('zero_bytes', 'r5')}")


def _gather(asm: Assembly, planes: Planes) -> None:
    first, end = planes.loaded
    words = [planes.inside(word) for word in range(first, end)]
    asm.block("row", "one row of the input, if it is one")
    asm(f"20: ldr r2, {slot('row_index')}", f"ldr r0, {slot('row_at')}", f"ldr r5, {slot('layer')}", "add r4, r2, #1")
    asm(
        f"str r4, {slot('row_index')}",
        f"ldr r6, {word('input_row', 'r5')}",
        "add r6, r0, r6",
        f"str r6, {slot('row_at')}",
    )
    asm(f"ldr r6, {word('input_rows', 'r5')}", "cmp r2, r6", "bhs 22f")
    if first:
        asm(f"add r1, r1, #{4 * first}")
    _gather_inside(asm, planes, words)
    if planes.words > end:
        asm(f"add r1, r1, #{4 * (planes.words - end)}")
    asm("b 24f")
    asm.block("outside", "a row of the border")
    asm(f"22: mov lr, #{planes.words}", f"ldr r2, {word('zero_pair', 'r5')}")
    asm.block("outside word")
    asm("23:", *(f"str r2, [r1, #{plane * planes.plane_bytes}]" for plane in range(1, LANES)))
    asm("str r2, [r1], #4", "subs lr, lr, #1", "bne 23b")
    asm.block("next row")
    asm("24: subs r11, r11, #1", "bne.w 20b")


def _gather_inside(asm: Assembly, planes: Planes, words: list[tuple[bool, bool]]) -> None:
    """The words of a row that hold input; r0 points to its first pixel. At the ends one half may be border."""
    column = planes.steps[0] if planes.steps else 0
    at = 0
    if words and words[0] == (False, True):
        asm("ldr r3, [r0]")
        _store_pairs(asm, planes, "r12", "r3")
        at = column
        if not column:
            asm("add r0, r0, r10")
    both = words.count((True, True))
    turns, rest = unrolled(both, column, at)
    each = (both - rest) // turns if turns else 0
    if turns:
        if turns > 1:
            asm(f"mov lr, #{turns}")
        asm.block("gather", "two neighbouring pixels: four channels each become four pairs")
        asm("21:")
        for pair in range(each):
            _gather_pair(asm, planes, at + 2 * pair * column)
        if turns > 1:
            if column:
                asm(f"add r0, r0, #{2 * each * column}")
            asm("subs lr, lr, #1", "bne.w 21b")
        else:
            at += 2 * each * column
        asm.block("row")
    for pair in range(rest):
        _gather_pair(asm, planes, at + 2 * pair * column)
    if words and words[-1] == (True, False):
        asm(f"ldr r2, [r0, #{at + 2 * rest * column}]")
        _store_pairs(asm, planes, "r2", "r12")


def unrolled(pairs: int, column: int, at: int) -> tuple[int, int]:
    """How a row's pairs of pixels are gathered: turns of a loop (1: no loop), and how many pairs follow it.

    One pair a turn where steps are not known; otherwise as many as offsets reach, and few of them left over.
    """
    if not pairs:
        return 0, 0
    if not column:
        return pairs, 0
    if pairs <= LONGEST_TURN and at + (2 * pairs + 1) * column <= MOST_OFFSET:
        return 1, 0
    sizes = [n for n in range(1, LONGEST_TURN + 1) if at + (4 * n + 1) * column <= MOST_OFFSET]
    size = min(sizes, key=lambda n: (pairs % n - n, n))
    return pairs // size, pairs % size


def _gather_pair(asm: Assembly, planes: Planes, offset: int) -> None:
    if planes.steps:
        asm(f"ldr r2, [r0, #{offset}]", f"ldr r3, [r0, #{offset + planes.steps[0]}]")
    else:
        asm("ldr r2, [r0]", "ldr r3, [r0, r10]", "add r0, r0, r10, lsl #1")
    _store_pairs(asm, planes, "r2", "r3")


def _store_pairs(asm: Assembly, planes: Planes, left: str, right: str) -> None:
    """Words of two pixels, bytes 0 to 3 of each, become words (left, right) of planes 0 to 3."""
    asm(f"pkhbt r4, {left}, {right}, lsl #16", f"pkhtb r5, {right}, {left}, asr #16")
    asm("sxtb16 r6, r4", "sxtb16 r7, r4, ror #8", "sxtb16 r8, r5", "sxtb16 r9, r5, ror #8")
    asm(*(f"str r{6 + plane}, [r1, #{plane * planes.plane_bytes}]" for plane in range(1, LANES)), "str r6, [r1], #4")


def _channels(asm: Assembly, planes: Planes, computation: Computation) -> None:
    asm.block("channels", "the channels of the group one by one")
    asm(f"ldr r4, {slot('skipped')}", f"rsb r5, r4, #{LANES}", f"str r5, {slot('lanes')}")
    asm(
        f"movw r6, #{planes.plane_bytes}",
        f"ldr r0, {slot('scratch')}",
        "mla r0, r4, r6, r0",
        f"str r0, {slot('plane')}",
    )
    asm(f"ldr r1, {slot('band_out')}", f"str r1, {slot('out_at')}", f"ldr r12, {slot('group_constants')}")
    asm.block("channel")
    asm("3:")
    computation.emit_load(asm)
    asm(f"str r12, {slot('constants')}", f"ldr r0, {slot('plane')}", f"ldr r1, {slot('out_at')}")
    computation.emit_rows(asm)
    asm.block("channel", "next channel")
    asm(*_add_to("plane", planes.plane_bytes), *_add_to("out_at", 1), f"ldr r12, {slot('constants')}")
    asm(f"ldr r4, {slot('lanes')}", "subs r4, r4, #1", f"str r4, {slot('lanes')}", "bne.w 3b")


def _finish_band(asm: Assembly, planes: Planes) -> None:
    asm.block("bands")
    asm(f"ldr r4, {slot('rows_left')}", f"subs r4, r4, #{planes.band}", f"str r4, {slot('rows_left')}", "ble.w 4f")
    asm(f"ldr r1, {slot('band_out')}", f"ldr r5, {slot('row_step')}", f"mov r6, #{planes.band}")
    asm("mla r1, r5, r6, r1", f"str r1, {slot('band_out')}", f"ldr r1, {slot('scratch')}")
    words = planes.kept_rows * planes.words
    if words:
        _move_up(asm, planes, words)
        asm(f"ldr r1, {slot('scratch')}", f"add r1, r1, #{4 * words}")
    asm("mov r11, #0", "b.w 2b")


def _move_up(asm: Assembly, planes: Planes, words: int) -> None:
    """The last rows of each plane become its first; r1: the planes."""
    distance = planes.band * planes.row_stride * planes.row_bytes
    eights, rest = divmod(words, 8)
    load_constant(asm, "r0", distance)
    asm("add r0, r1, r0", f"mov r12, #{LANES}")
    asm.block("move plane", "rows that the next band needs again")
    asm("30:")
    if eights:
        asm(f"mov lr, #{eights}")
        asm.block("move")
        asm("31: ldm r0!, {r2-r9}", "stm r1!, {r2-r9}", "subs lr, lr, #1", "bne 31b")
        asm.block("move plane")
    if rest:
        registers = "{r2}" if rest == 1 else f"{{r2-r{1 + rest}}}"
        asm(f"ldm r0!, {registers}", f"stm r1!, {registers}")
    skip = planes.plane_bytes - 4 * words
    asm(f"add r0, r0, #{skip}", f"add r1, r1, #{skip}", "subs r12, r12, #1", "bne 30b")
    asm.block("bands")


def planes_ticks(asm: Assembly, planes: Planes, axes: Axes, channels: int, computation: Computation) -> Ticks:
    """What a whole image takes."""
    full, rest = divmod(axes.output_rows, planes.band)
    bands = [planes.band] * full + [rest] * (rest > 0)
    rows = planes.kept_rows + axes.output_rows * planes.row_stride
    inside = len([row for row in range(rows) if 0 <= row - axes.pad < axes.input_rows])
    pairs = [planes.inside(word) for word in range(planes.words)].count((True, True))
    column = planes.steps[0] if planes.steps else 0
    turns, _ = unrolled(pairs, column, column * (planes.pad % 2))
    gathered = inside * (asm.ticks("row") + turns * _ticks(asm, "gather"))
    gathered += (rows - inside) * (asm.ticks("outside") + planes.words * asm.ticks("outside word"))
    gathered += rows * asm.ticks("next row")
    eights = planes.kept_rows * planes.words // 8
    moved = LANES * (_ticks(asm, "move plane") + eights * _ticks(asm, "move"))
    group = asm.ticks("group") + asm.ticks("end") + gathered + (len(bands) - 1) * moved
    group += len(bands) * (asm.ticks("band") + asm.ticks("channels") + asm.ticks("bands"))
    channel = sum((asm.ticks("channel") + computation.ticks(asm, rows) for rows in bands), Ticks())
    border = planes.plane_bytes * _ticks(asm, "border")
    return asm.ticks("start") + border + -(-channels // LANES) * group + channels * channel


def _ticks(asm: Assembly, block: str) -> Ticks:
    """Of a block that not every function has."""
    return asm.ticks(block) if asm.has(block) else Ticks()


def in_place_is_safe(planes: Planes, axes: Axes) -> bool:
    """Whether no output lies where a later band still reads, when output and input start at the same address.

    A channel's outputs only ever lie on inputs of that channel then, so looking at pixels is enough.
    """
    columns = np.arange(planes.columns)
    written = np.zeros(0, np.int64)
    for first in range(0, axes.output_rows, planes.band):
        rows = np.arange(planes.band * planes.row_stride) + first * planes.row_stride - axes.pad
        rows = rows + (planes.kept_rows if first else 0)
        if not first:
            rows = np.arange(-axes.pad, rows[-1] + planes.kept_rows + 1)
        rows = rows[(rows >= 0) & (rows < axes.input_rows)]
        read = (rows[:, None] * axes.input_row + columns * axes.input_column).reshape(-1)
        if np.isin(read, written).any():
            return False
        outputs = np.arange(first, min(first + planes.band, axes.output_rows))
        pixels = outputs[:, None] * axes.output_row + np.arange(planes.outputs) * axes.output_column
        written = np.union1d(written, pixels.reshape(-1))
    return True
