"""Functions that unpack a group's words of weights, a + 256 b in each half, from a compressed stream.

    NAME(words, stream, table, count)    r0 to, r1 from, r2 table of halves by two indices, r3 words, a multiple of 4

values  indices of 4, 3 or 2 bits, two of which find a half in the table
bitmap  a bit for each byte, the first one in the highest of a word, then the bytes that are not 0
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from tinyedge.kernels.contract import AsmFunction
from tinyedge.kernels.thumb.assembly import Assembly, Ticks

PROTOTYPE = "const uint8_t *NAME(uint32_t *words, const uint8_t *stream, const uint16_t *table, uint32_t count)"
CALL_TICKS = Ticks(6, 12)
_WORDS_A_TURN = {4: 2, 3: 8, 2: 4}
"""by bits of an index, words that are unpacked in a turn"""
_STREAM_BYTES_A_TURN = {4: 4, 3: 12, 2: 4}
_MASK_WORDS = 8
"""words of weights that have their bits in one word"""


@cache
def _values(bits: int) -> Assembly:
    asm = Assembly({})
    asm("push {r4-r11, lr}")
    asm.block("turn", f"{4 * _WORDS_A_TURN[bits]} weights")
    asm("1:")
    if bits == 4:
        asm("ldr r7, [r1], #4", "uxtb r4, r7", "ubfx r5, r7, #8, #8", "ubfx r6, r7, #16, #8", "lsr r7, r7, #24")
        _look_up(asm, ("r4", "r5", "r6", "r7"))
        asm("strd r4, r6, [r0], #8")
    elif bits == 2:
        asm("ldr r12, [r1], #4")
        asm("and r4, r12, #15", *(f"ubfx r{4 + at}, r12, #{4 * at}, #4" for at in range(1, 7)), "lsr r11, r12, #28")
        _look_up(asm, [f"r{at}" for at in range(4, 12)])
        asm("mov r5, r6", "mov r6, r8", "mov r7, r10", "stm r0!, {r4-r7}")
    else:
        asm("ldm r1!, {r4-r6}")
        for half in range(0, 16, 4):
            for at, to in enumerate(("r7", "r8", "r9", "r10")):
                _index_of_6_bits(asm, half + at, to)
            _look_up(asm, ("r7", "r8", "r9", "r10"))
            asm("strd r7, r9, [r0], #8")
    asm(f"subs r3, r3, #{_WORDS_A_TURN[bits]}", "bgt 1b")
    asm.block("end")
    asm("mov r0, r1", "pop {r4-r11, pc}")
    return asm


def _look_up(asm: Assembly, indices: Sequence[str]) -> None:
    """Each index becomes its half, and each second half goes to the upper end of the register before."""
    asm(*(f"ldrh {index}, [r2, {index}, lsl #1]" for index in indices))
    asm(*(f"orr {low}, {low}, {high}, lsl #16" for low, high in zip(indices[::2], indices[1::2], strict=True)))


def _index_of_6_bits(asm: Assembly, number: int, to: str) -> None:
    """From three words in r4 to r6."""
    word, shift = divmod(6 * number, 32)
    if shift <= 26:
        asm(f"ubfx {to}, r{4 + word}, #{shift}, #6")
    else:
        asm(
            f"lsr {to}, r{4 + word}, #{shift}",
            f"orr {to}, {to}, r{5 + word}, lsl #{32 - shift}",
            f"and {to}, {to}, #63",
        )


@cache
def _bitmap() -> Assembly:
    asm = Assembly({})
    asm("push {r4-r11, lr}", "add r12, r3, #7", "lsr r12, r12, #3", "add r12, r1, r12, lsl #2")
    asm("mov r4, #0", "mov r5, #0", "mov r6, #0", "mov r7, #0", "mov r9, #0x80000000")
    asm.block("turn", "32 weights: all 0 first")
    asm("1: ldr r8, [r1], #4", "stm r0!, {r4-r7}", "stm r0!, {r4-r7}", "sub r10, r0, #32", "cmp r8, #0", "beq 3f")
    asm.block("byte", "the next that is not 0")
    asm("2: clz r2, r8", "lsr lr, r9, r2", "bics r8, r8, lr", "ldrb r11, [r12], #1", "strb r11, [r10, r2]", "bne 2b")
    asm.block("next turn")
    asm(f"3: subs r3, r3, #{_MASK_WORDS}", "bgt 1b")
    asm.block("end")
    asm("add r0, r12, #3", "bic r0, r0, #3", "pop {r4-r11, pc}")
    return asm


def values_function(bits: int) -> tuple[AsmFunction, int]:
    """Unpacks indices of so many bits; with its bytes of code."""
    asm = _values(bits)
    comment = (
        f"Words of weights from indices of {bits} bits, two of which find a half in the table.\n"
        "r0 to, r1 from, r2 table, r3 words left, r4-r12 indices, then halves"
    )
    return asm.shared("te_unpack_values", PROTOTYPE, comment), asm.code_bytes


def bitmap_function() -> tuple[AsmFunction, int]:
    """Unpacks bytes of which a bitmap says where they are not 0; with its bytes of code."""
    asm = _bitmap()
    comment = (
        "Words of weights from a bitmap and the bytes that are not 0.\n"
        "r0 to, r1 bitmap, r2 place, r3 words left, r4-r7 zeros, r8 bits, r9 highest bit, r10 words, r11, r12 bytes"
    )
    return asm.shared("te_unpack_bitmap", PROTOTYPE, comment), asm.code_bytes


def values_ticks(bits: int, words: int) -> Ticks:
    """What one call takes."""
    asm = _values(bits)
    turns = -(-words // _WORDS_A_TURN[bits])
    return CALL_TICKS + asm.ticks("start") + turns * asm.ticks("turn") + asm.ticks("end")


def bitmap_ticks(words: int, nonzero: int) -> Ticks:
    """What one call takes."""
    asm = _bitmap()
    turn = asm.ticks("turn") + asm.ticks("next turn")
    turns = -(-words // _MASK_WORDS)
    return CALL_TICKS + asm.ticks("start") + turns * turn + nonzero * asm.ticks("byte") + asm.ticks("end")


def pack_values(indices: npt.NDArray[np.int64], bits: int) -> npt.NDArray[np.uint8]:
    """Indices [groups, 4 * words], in the order of the words' halves a, b, filled up to whole turns group by group."""
    turn = 8 * _STREAM_BYTES_A_TURN[bits] // bits
    filled = np.pad(indices, ((0, 0), (0, -indices.shape[1] % turn)))
    spread = (filled[..., None] >> np.arange(bits)) & 1
    return np.packbits(spread.astype(np.uint8).reshape(len(indices), -1), axis=1, bitorder="little").reshape(-1)


def pack_bitmap(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
    """Words [groups, n]: by group bits, in words, then bytes that are not 0, filled up to whole words."""
    parts = []
    for group in words.astype("<u4"):
        values = group.view(np.uint8)
        mask = np.packbits(np.pad(values != 0, (0, -len(values) % 32))).reshape(-1, 4)[:, ::-1].reshape(-1)
        kept = values[values != 0]
        parts += [mask, kept, np.zeros(-len(kept) % 4, np.uint8)]
    return np.concatenate(parts)
