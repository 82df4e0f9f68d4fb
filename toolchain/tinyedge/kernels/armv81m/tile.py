"""The arithmetic of convolutions and fully connected layers with Helium: eight sums at a time, sixteen products each.

VMLADAVA.S8 adds sixteen products of int8 to a sum in a core register, one of the eight even ones. A tile is two pixels
by four output channels, or one pixel by eight channels. Loading is what is left to save: VLDM fetches up to eight
vectors at once, so weights lie in the order of their use, and of two pixels side by side whose windows overlap what
they share is loaded once.

TensorFlow Lite Micro's first rounding is VQRDMULH for all values; its second, RoundingDivideByPOT, rounds ties away
from zero where VRSHL rounds them up, so negative values are lowered by one first, unless a fused ReLU clamps them away.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import cache

import numpy as np

from tinyedge.kernels.contract import AsmFunction
from tinyedge.kernels.thumb.assembly import Assembly, load_constant
from tinyedge.ops.conv_2d import Conv2D
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyedge.ops.fully_connected import FullyConnected

SUMS = ("r0", "r2", "r4", "r6", "r8", "r10", "r12", "lr")
"""the even registers: what VMLADAVA can add to"""
LANES = 16
"""products of one instruction"""
BATCH = 3
"""chunks of two overlapping pixels that are loaded together, with one more for the second pixel"""
TURN_CHUNKS = 4
"""chunks in a turn of the loop over one long run"""
SAVED = 64
"""bytes of vector registers above the arguments on the stack"""


class Ties(Enum):
    """What is done about ties of negative values in the second rounding."""

    CLAMPED = "clamped"
    """nothing: all that is negative is clamped to the same value"""
    LOWERED = "lowered"
    """every channel is shifted to the right: negative values are lowered by one"""
    MASKED = "masked"
    """those of channels that are shifted to the right"""


@dataclass(frozen=True)
class Requantization:
    """How sums become int8; `left`: a channel is shifted to the left before it is multiplied."""

    ties: Ties
    left: bool
    zero_point: int
    low: int
    high: int

    @property
    def vectors(self) -> int:
        """Vectors of constants for four channels: bias, multiplier, shift, left shift."""
        return 4 if self.left else 3


@dataclass(frozen=True)
class TileForm:
    """What a function is made for.

    pixels    2 (by four channels) or 1 (by eight)
    runs      runs of bytes of a window, all `chunks` times 16 bytes long
    run_step  bytes from one run to the next
    step      bytes from a pixel's window to the next one's
    looped    a loop over the runs, or over the chunks of the only one; else all are in a line
    """

    pixels: int
    runs: int
    chunks: int
    run_step: int
    step: int
    channels: int
    requantization: Requantization
    looped: bool = False

    @property
    def tile_channels(self) -> int:
        return 8 // self.pixels

    @property
    def groups(self) -> int:
        """Tiles that make up all output channels."""
        return -(-self.channels // self.tile_channels)

    @property
    def overlap(self) -> int:
        """Chunks by which the second pixel's window is ahead where both are read through one pointer; 0: two."""
        if self.pixels == 1 or self.step > 2 * LANES or self.step % LANES or self.in_turns:
            return 0
        ahead = self.step // LANES
        return 0 if self.chunks % max(ahead, 1) else ahead

    @property
    def in_turns(self) -> bool:
        """Whether the loop is over chunks."""
        return self.looped and self.runs == 1 and self.chunks > TURN_CHUNKS


def requantization_of(p: Conv2D | DepthwiseConv2D | FullyConnected) -> Requantization:
    """The shortest form that is exact for the layer."""
    shift = np.asarray(p.shift)
    if p.activation_min >= p.output_zero_point:
        ties = Ties.CLAMPED
    else:
        ties = Ties.LOWERED if (shift < 0).all() else Ties.MASKED
    left = bool((shift > 0).any())
    return Requantization(ties, left, p.output_zero_point, p.activation_min, p.activation_max)


PROTOTYPE = "void NAME(const int8_t *window, const int8_t *weights, int8_t *output, uint32_t count)"


def _comment(form: TileForm) -> str:
    tile = "two pixels by four output channels" if form.pixels == 2 else "one pixel by eight output channels"
    return f"""\
A row of pixels, {tile} at a time, {form.channels} channels in all.

window   of the first pixel: {form.runs} runs of {form.chunks} times 16 bytes, {form.run_step} bytes apart; that of the
         next one begins {form.step} bytes further on; aligned to a word
weights  for each tile: for each 16 bytes of a window those of each channel; then vectors of four biases,
         multipliers and shifts
count    of {"pairs of pixels" if form.pixels == 2 else "pixels"}
r1, r3 windows, r5 weights, r7 output, r9 channels left, r11 {"runs left" if form.looped else "zero point"}
even registers are the sums; q0-q3 pixels, q4-q7 weights"""


@dataclass(frozen=True)
class Tile:
    """A function and what it takes: instructions of each tile, around the tiles of a pixel or pair, of a call."""

    function: AsmFunction
    code_bytes: int
    tile: int
    turn: int
    """instructions of each turn of the loop, if it is looped"""
    turns: int
    pixel: int
    call: int

    def instructions(self, groups: int, count: int) -> int:
        """Of one call."""
        return self.call + count * (self.pixel + groups * (self.tile + self.turns * self.turn))


@cache
def emit_tile(form: TileForm) -> Tile:
    """The function for a form."""
    asm = Assembly({})
    asm.block("call")
    asm("push {r0, r1, r3, r4, r5, r6, r7, r8, r9, r10, r11, lr}", "vpush {d8-d15}", "mov r7, r2")
    if not form.looped:
        asm(f"mov r11, #{form.requantization.zero_point}")
    asm.block("pixels", "next pixels")
    asm(f"1: ldr r5, [sp, #{SAVED + 4}]", f"movw r9, #{form.channels}")
    asm.block("tile", "next channels")
    asm(f"2: ldr r1, [sp, #{SAVED}]")
    if form.pixels == 2 and not form.overlap:
        _add(asm, "r3", "r1", form.step)
    turns = _products(asm, form)
    asm.block("tile", "sums to int8")
    _requantize(asm, form)
    _store(asm, form)
    asm(f"subs r9, r9, #{form.tile_channels}", "bgt 2b")
    asm.block("pixels")
    beyond = form.pixels * form.channels - form.groups * form.tile_channels
    if beyond:
        _add(asm, "r7", "r7", beyond)
    asm(f"ldr r0, [sp, #{SAVED}]", f"ldr r2, [sp, #{SAVED + 8}]")
    _add(asm, "r0", "r0", form.pixels * form.step, "r4")
    asm(f"str r0, [sp, #{SAVED}]", "subs r2, r2, #1", f"str r2, [sp, #{SAVED + 8}]", "bne 1b")
    asm.block("call")
    asm("vpop {d8-d15}", "add sp, sp, #12", "pop {r4-r11, pc}")
    return Tile(
        asm.shared("te_tile", PROTOTYPE, _comment(form)),
        asm.code_bytes,
        asm.instructions("tile"),
        asm.instructions("turn") if turns else 0,
        turns,
        asm.instructions("pixels"),
        asm.instructions("call"),
    )


def _add(asm: Assembly, target: str, source: str, value: int, spare: str = "r0") -> None:
    """target = source + value, through a spare register where the value is long."""
    if -4095 <= value <= 4095:
        asm(f"add {target}, {source}, #{value}" if value >= 0 else f"sub {target}, {source}, #{-value}")
    else:
        load_constant(asm, spare, value)
        asm(f"add {target}, {source}, {spare}")


# -- products ----------------------------------------------------------------------------------------------------------


def _products(asm: Assembly, form: TileForm) -> int:
    """All products of a tile; how many turns of a loop they take."""
    if not form.looped or (form.runs == 1 and not form.in_turns):
        for run in range(form.runs):
            _run(asm, form, form.chunks, first=run == 0, last=run == form.runs - 1)
        return 0
    asm(*(f"mov {sums}, #0" for sums in SUMS))
    turns = form.chunks // TURN_CHUNKS if form.in_turns else form.runs
    asm(f"movw r11, #{turns}")
    asm.block("turn", "products")
    asm("3:")
    _run(asm, form, TURN_CHUNKS if form.in_turns else form.chunks, first=False, last=form.in_turns)
    asm("subs r11, r11, #1", "bne 3b")
    asm.block("tile")
    if form.in_turns:
        _run(asm, form, form.chunks % TURN_CHUNKS, first=False, last=True)
    return turns


def _run(asm: Assembly, form: TileForm, chunks: int, *, first: bool, last: bool) -> None:
    """The products of one run; `first` starts the sums, behind the `last` pointers need not go to another run."""
    if form.pixels == 1:
        consumed = _one_pixel(asm, chunks, first)
    elif form.overlap == 1:
        consumed = _neighbours(asm, chunks, first)
    elif form.overlap == 2:
        consumed = _neighbours_of_32(asm, chunks, first)
    else:
        consumed = _two_pixels(asm, chunks, first)
    if not last:
        for pointer in ("r1",) if form.pixels == 1 or form.overlap else ("r1", "r3"):
            if form.run_step != consumed:
                _add(asm, pointer, pointer, form.run_step - consumed)


def _multiply(asm: Assembly, pixels: tuple[int, ...], fresh: bool, sums: tuple[str, ...] = SUMS) -> None:
    """The next four vectors of weights, one of each channel, times a vector of each pixel."""
    operation = "vmladav.s8" if fresh else "vmladava.s8"
    asm("vldm r5!, {d8-d15}")
    for channel in range(4):
        for at, vector in enumerate(pixels):
            asm(f"{operation} {sums[4 * at + channel]}, q{4 + channel}, q{vector}")


def _one_pixel(asm: Assembly, chunks: int, first: bool) -> int:
    for start in range(0, chunks, 4):
        some = min(4, chunks - start)
        asm(f"vldm r1!, {{d0-d{2 * some - 1}}}")
        for chunk in range(some):
            fresh = first and start + chunk == 0
            _multiply(asm, (chunk,), fresh, SUMS[:4])
            _multiply(asm, (chunk,), fresh, SUMS[4:])
    return LANES * chunks


def _two_pixels(asm: Assembly, chunks: int, first: bool) -> int:
    for start in range(0, chunks, 2):
        some = min(2, chunks - start)
        asm(f"vldm r1!, {{d0-d{2 * some - 1}}}", f"vldm r3!, {{d4-d{3 + 2 * some}}}")
        for chunk in range(some):
            _multiply(asm, (chunk, 2 + chunk), first and start + chunk == 0)
    return LANES * chunks


def _neighbours(asm: Assembly, chunks: int, first: bool) -> int:
    """The second pixel's window is one chunk ahead."""
    for start in range(0, chunks, BATCH):
        some = min(BATCH, chunks - start)
        asm(f"vldm r1, {{d0-d{2 * some + 1}}}")
        for chunk in range(some):
            _multiply(asm, (chunk, chunk + 1), first and start + chunk == 0)
        if start + some < chunks:
            asm(f"add r1, r1, #{LANES * some}")
    return (chunks - 1) // BATCH * BATCH * LANES


def _neighbours_of_32(asm: Assembly, chunks: int, first: bool) -> int:
    """The second pixel's window is two chunks ahead: what it reads is what the first one reads next."""
    asm("vldm r1!, {d0-d3}")
    for start in range(0, chunks, 2):
        here, ahead = (0, 2) if start % 4 == 0 else (2, 0)
        asm(f"vldm r1!, {{d{2 * ahead}-d{2 * ahead + 3}}}")
        for chunk in range(2):
            _multiply(asm, (here + chunk, ahead + chunk), first and start + chunk == 0)
    return LANES * (chunks + 2)


# -- from sums to int8 -------------------------------------------------------------------------------------------------


def _requantize(asm: Assembly, form: TileForm) -> None:
    """Sums of four become q0, those of the other four q1, then both are int8 in q0: bytes 0 and 2 of each lane."""
    r = form.requantization
    for vector in (0, 1):
        a, b, c, d = SUMS[4 * vector : 4 * vector + 4]
        asm(f"vmov q{vector}[2], q{vector}[0], {a}, {c}", f"vmov q{vector}[3], q{vector}[1], {b}, {d}")
    zero_point = "r11"
    if form.looped:
        zero_point = "r0"
        asm(f"mov r0, #{r.zero_point}")
    for vector in (0, 1):
        q = f"q{vector}"
        if vector == 0 or form.pixels == 1:
            asm(f"vldm r5!, {{d4-d{3 + 2 * r.vectors}}}")
        asm(f"vadd.i32 {q}, {q}, q2")
        if r.left:
            asm(f"vshl.s32 {q}, {q}, q5")
        asm(f"vqrdmulh.s32 {q}, {q}, q3")
        if r.ties is Ties.LOWERED:
            asm(f"vshr.s32 q6, {q}, #31")
        if r.ties is Ties.MASKED:
            asm(f"vand q6, {q}, q4", "vshr.s32 q6, q6, #31")
        if r.ties is not Ties.CLAMPED:
            asm(f"vadd.i32 {q}, {q}, q6")
        asm(f"vrshl.s32 {q}, {q}, q4", f"vqadd.s32 {q}, {q}, {zero_point}")
    asm("vqmovnb.s32 q0, q0", "vqmovnt.s32 q0, q1", "vqmovnb.s16 q0, q0")
    if r.low > -128:
        asm(f"mvn r0, #{~r.low}" if r.low < 0 else f"mov r0, #{r.low}", "vdup.8 q1, r0", "vmax.s8 q0, q0, q1")
    if r.high < 127:
        asm(f"mvn r0, #{~r.high}" if r.high < 0 else f"mov r0, #{r.high}", "vdup.8 q1, r0", "vmin.s8 q0, q0, q1")


def _store(asm: Assembly, form: TileForm) -> None:
    """Store the outputs of a tile; where channels do not come out even, only those that are left."""
    partial = form.channels % form.tile_channels != 0
    t = "t" if partial else ""
    if form.pixels == 1:
        if partial:
            asm("vctp.32 r9", "vpst")
        asm(f"vstrb{t}.32 q0, [r7], #4", "vshr.u32 q0, q0, #16")
        if partial:
            asm("subs r0, r9, #4", "it lt", "movlt r0, #0", "vctp.32 r0", "vpst")
        asm(f"vstrb{t}.32 q0, [r7], #4")
        return
    near = form.channels <= 127
    asm("vshr.u32 q1, q0, #16")
    if not near:
        _add(asm, "r0", "r7", form.channels, "r2")
    if partial:
        asm("vctp.32 r9", "vpstt")
    asm(f"vstrb{t}.32 q1, [r7, #{form.channels}]" if near else f"vstrb{t}.32 q1, [r0]", f"vstrb{t}.32 q0, [r7], #4")
