"""How the inner function of `armv7em/conv_2d_4x2` gets products from a stream of weights of 8, 4 or 2 bits.

int8  Two channels in each half of a word, a + 256 b. The word as it is gives S_a + 256 S_b, SXTB16 leaves a.

int4  Four channels in each half, so a word is two taps of four channels:

          h = 4096 d + 256 c' + 16 (b mod 16) + a'        a' = a + 8,  c' = c + 8 - [b < 0]

      which as a signed half is 4096 d + 256 (c + 8) + 16 b + a + 8. Four operands of SMLAD from three unpackings:

          the word as it is    T1 = 4096 S_d + 256 (S_c + 8 S_x) + 16 S_b + S_a + 8 S_x
          SXTB16               T2 = 16 S_b + S_a + 8 S_x
          AND 0x000F000F       T3 = S_a + 8 S_x
          AND 0xF000F000       T4 = 4096 S_d

      S_x is the sum of a window, added up eight times while it is gathered. Sums are modulo 2**32, so each channel
      comes out as long as it stays below 2**27 (b), 2**23 (c), 2**19 (d) in magnitude.

int2  Four channels in each byte, so a word is four taps of four channels: a' + 4 b' + 16 c' + 64 d, with a' = a + 2 and
      so on. The low byte of each half has the taps of one step, the high byte those of the next. SXTB16 gives all four
      digits, three masks those that are offset.

The sums' registers have other names than what they hold in the end: `order` tells them, channel by channel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from tinyedge.kernels.thumb.assembly import Assembly

WeightForm = Literal["int8", "int4", "int2"]

REGISTERS = {
    "b0": "r4", "b1": "r5", "a0": "r6", "a1": "r7", "d0": "r8", "d1": "r9", "c0": "r10", "c1": "r11",
    "x0": "r2", "x1": "r3", "w0": "r12", "w1": "lr", "panel": "r0", "weights": "r1",
    # where registers wait
    "out0": "s0", "out1": "s1", "last": "s2", "row": "s3", "panel_begin": "s4", "panel_end": "s5", "entry": "s6",
    "zero_point": "s7", "pairs": "s8", "sum0": "s9", "sum1": "s10", "step": "s11", "base": "s12",
}  # fmt: skip
"""registers of the inner function; b1, a1, d1, c1 are loaded together with what the sums begin with"""
_MIXED, _PLAIN = ("b0", "b1", "d0", "d1"), ("a0", "a1", "c0", "c1")


@dataclass(frozen=True)
class Unpack:
    """One form of the stream.

    stem        of the functions' names
    steps       of two taps, that `multiply` does at once
    words       of weights for these
    mixes       what the four sums begin with, in the stream's order
    order       the registers' names of channels a, b, c, d behind `separate`
    separation  how the channels come apart
    sums        whether eight times the sum of each window is needed
    multiply    the products of a turn: (asm, first, paired); the first step of all takes what the sums begin with from
                the registers of pixel 1
    separate    brings each channel's sums to one register a pixel: (asm, shifted), the latter by 8 to the left
    skip        by `paired` what adds the bytes of r2 / 8 steps of code to r3
    counts      by `paired` the instructions of one `multiply`
    """

    stem: str
    steps: int
    words: int
    mixes: tuple[str, str, str, str]
    order: str
    separation: str
    sums: bool
    multiply_: Callable[[Assembly, bool, bool], None]
    separate_: Callable[[Assembly, bool], None]
    skips: Mapping[bool, tuple[str, ...]]
    counts: Mapping[bool, int]

    def multiply(self, asm: Assembly, *, first: bool, paired: bool) -> None:
        self.multiply_(asm, first, paired)

    def separate(self, asm: Assembly, *, shifted: bool) -> None:
        self.separate_(asm, shifted)

    def skip(self, *, paired: bool) -> tuple[str, ...]:
        return self.skips[paired]

    def cost(self, *, paired: bool) -> str:
        """What products cost, for a comment."""
        taps = {1: "two", 2: "four"}[self.steps]
        return f"{self.counts[paired]} instructions for {taps} taps = {16 * self.steps} MACs"

    def group_words(self, steps: int) -> int:
        """Words of four channels: what the sums begin with, weights, two factors each."""
        return 4 + steps // self.steps * self.words + 8


def _multiply_int8(asm: Assembly, first: bool, paired: bool) -> None:
    b, a, d, c = ("b1", "a1", "d1", "c1") if first else ("b0", "a0", "d0", "c0")
    if paired:
        asm(
            "ldr %w0, [%weights], #8",
            "ldr %x0, [%panel], #8",
            "ldr %w1, [%weights, #-4]",
            "ldr %x1, [%panel, #-4]",
            f"smlad %b0, %w0, %x0, %{b}",
            "smlad %b1, %w0, %x1, %b1",
            "sxtb16 %w0, %w0",
            f"smlad %d0, %w1, %x0, %{d}",
            "smlad %d1, %w1, %x1, %d1",
            "sxtb16 %w1, %w1",
            f"smlad %a0, %w0, %x0, %{a}",
            "smlad %a1, %w0, %x1, %a1",
            f"smlad %c0, %w1, %x0, %{c}",
            "smlad %c1, %w1, %x1, %c1",
        )
        return
    asm(
        "ldrd %w0, %w1, [%weights], #8",
        "ldrd %x0, %x1, [%panel], #8",
        f"smlad %b0, %w0, %x0, %{b}",
        "smlad %b1, %w0, %x1, %b1",
        f"smlad %d0, %w1, %x0, %{d}",
        "smlad %d1, %w1, %x1, %d1",
        "sxtb16 %w0, %w0",
        "sxtb16 %w1, %w1",
        f"smlad %a0, %w0, %x0, %{a}",
        "smlad %a1, %w0, %x1, %a1",
        f"smlad %c0, %w1, %x0, %{c}",
        "smlad %c1, %w1, %x1, %c1",
    )


def _separate_int8(asm: Assembly, shifted: bool) -> None:
    asm(*(f"sub %{mixed}, %{mixed}, %{plain}" for mixed, plain in zip(_MIXED, _PLAIN, strict=True)))
    if shifted:
        asm(*(f"lsl %{name}, %{name}, #8" for name in _PLAIN))
    else:
        asm(*(f"asr %{name}, %{name}, #8" for name in _MIXED))


def _products(asm: Assembly, operand: str, name: str, start: str) -> None:
    """An operand with both pixels."""
    asm(f"smlad %{name}0, {operand}, %x0, %{start}", f"smlad %{name}1, {operand}, %x1, %{name}1")


def _multiply_int4(asm: Assembly, first: bool, paired: bool) -> None:
    start = "1" if first else "0"
    asm("ldr %w0, [%weights], #4", "ldrd %x0, %x1, [%panel], #8")
    _products(asm, "%w0", "b", f"b{start}")
    asm("and %w1, %w0, #0xF000F000")
    _products(asm, "%w1", "d", f"d{start}")
    asm("and %w1, %w0, #0x000F000F")
    _products(asm, "%w1", "c", f"c{start}")
    asm("sxtb16 %w0, %w0")
    _products(asm, "%w0", "a", f"a{start}")


def _separate_int4(asm: Assembly, shifted: bool) -> None:
    """b: T1, a: T2, c: T3, d: T4 become S_c, S_b, S_a, S_d."""
    asm("vmov %x0, %sum0", "vmov %x1, %sum1")
    for pixel in "01":
        asm(
            f"sub %b{pixel}, %b{pixel}, %a{pixel}",
            f"sub %b{pixel}, %b{pixel}, %d{pixel}",
            f"sub %b{pixel}, %b{pixel}, %x{pixel}, lsl #8",
            f"sub %a{pixel}, %a{pixel}, %c{pixel}",
            f"sub %c{pixel}, %c{pixel}, %x{pixel}",
        )
        if shifted:
            asm(f"lsl %a{pixel}, %a{pixel}, #4", f"lsl %c{pixel}, %c{pixel}, #8", f"asr %d{pixel}, %d{pixel}, #4")
        else:
            asm(f"asr %a{pixel}, %a{pixel}, #4", f"asr %b{pixel}, %b{pixel}, #8", f"asr %d{pixel}, %d{pixel}, #12")


_MASKS_INT2 = (("a", "0x00030003"), ("b", "0x000C000C"), ("c", "0x00300030"))


def _multiply_int2(asm: Assembly, first: bool, paired: bool) -> None:
    asm("ldr %w0, [%weights], #4")
    for turn, (digits, source) in enumerate((("%w1", "%w0"), ("%w0", "%w0, ror #8"))):
        start = "1" if first and not turn else "0"
        asm("ldrd %x0, %x1, [%panel], #8", f"sxtb16 {digits}, {source}")
        _products(asm, digits, "d", f"d{start}")
        for name, mask in _MASKS_INT2:
            asm(f"and %w1, %w0, #{mask}")
            _products(asm, "%w1", name, f"{name}{start}")


def _separate_int2(asm: Assembly, shifted: bool) -> None:
    asm("vmov %x0, %sum0", "vmov %x1, %sum1")
    for pixel in "01":
        asm(*(f"sub %d{pixel}, %d{pixel}, %{name}{pixel}" for name in "abc"), f"asr %x{pixel}, %x{pixel}, #2")
        asm(
            f"sub %a{pixel}, %a{pixel}, %x{pixel}",
            f"sub %b{pixel}, %b{pixel}, %x{pixel}, lsl #2",
            f"sub %c{pixel}, %c{pixel}, %x{pixel}, lsl #4",
        )
        shifts = zip("abcd", (0, 2, 4, 6), strict=True)
        if shifted:
            asm(*(f"lsl %{name}{pixel}, %{name}{pixel}, #{8 - by}" for name, by in shifts))
        else:
            asm(*(f"asr %{name}{pixel}, %{name}{pixel}, #{by}" for name, by in shifts if by))


UNPACKS: Mapping[WeightForm, Unpack] = {
    "int8": Unpack(
        stem="te_conv_4x2",
        steps=1,
        words=2,
        mixes=("a + 256 b", "a", "c + 256 d", "c"),
        order="abcd",
        separation="256 b = (a + 256 b) - a",
        sums=False,
        multiply_=_multiply_int8,
        separate_=_separate_int8,
        skips={
            False: ("add r2, r2, r2, lsl #1", "add r3, r3, r2, lsl #1"),
            True: ("rsb r2, r2, r2, lsl #3", "add r3, r3, r2"),
        },
        counts={False: 12, True: 14},
    ),
    "int4": Unpack(
        stem="te_conv_4x2_int4",
        steps=1,
        words=1,
        mixes=("T1", "T2", "T4", "T3"),
        order="cabd",
        separation="256 c = T1 - T2 - T4 - 2048 x, 16 b = T2 - T3, a = T3 - 8 x, 4096 d = T4",
        sums=True,
        multiply_=_multiply_int4,
        separate_=_separate_int4,
        skips={False: ("add r3, r3, r2, lsr #1", "add r2, r2, r2, lsl #1", "add r3, r3, r2, lsl #1")},
        counts={False: 13},
    ),
    "int2": Unpack(
        stem="te_conv_4x2_int2",
        steps=2,
        words=1,
        mixes=("4 b", "a", "a + 4 b + 16 c + 64 d", "16 c"),
        order="abcd",
        separation="64 d = (a + 4 b + 16 c + 64 d) - a - 4 b - 16 c, each offset by 2 x",
        sums=True,
        multiply_=_multiply_int2,
        separate_=_separate_int2,
        skips={False: ("add r3, r3, r2, lsl #3", "sub r3, r3, r2", "sub r3, r3, r2, lsr #2")},
        counts={False: 27},
    ),
}
