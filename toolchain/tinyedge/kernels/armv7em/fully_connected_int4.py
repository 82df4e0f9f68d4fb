"""fully_connected with weights of 4 bits, four rows of two inputs to a word, unpacked in the inner loop.

narrow  The words and what becomes of them are those of convolutions (`conv_4x2_unpack`): T1 to T4 for four rows. Sums
        of the fourth row stay below 2**19.
wide    Each byte is two rows by itself, a' + 16 b and c' + 16 d, with c' = c + 8; 8 instructions for 8 products, not 7:

            SXTB16 ROR 8     T1 = 16 S_d + S_c + 8 S_x
            SXTB16           T2 = 16 S_b + S_a + 8 S_x
            AND 0x000F000F   T3 = S_a + 8 S_x
            AND 0x0F000F00   T4 = 256 (S_c + 8 S_x)

One pass over the inputs gives 8 S_x before.
"""

from __future__ import annotations

import functools
from functools import cache

import numpy as np

from tinyedge.kernels.armv7em.fully_connected import (
    HEADER_WORDS,
    LAYER,
    PROTOTYPE,
    ConnectedRows,
    Int64Array,
    bias_of,
    centred_weights,
    put_rows,
)
from tinyedge.kernels.armv7em.low_bits import LAST_SUM_LIMIT, mix_int4, mixing_reason, start_int4
from tinyedge.kernels.armv7em.row_pairs import LANES, ROWS
from tinyedge.kernels.common import storage
from tinyedge.kernels.contract import AsmFunction, Kernel, Storage
from tinyedge.kernels.thumb.assembly import Assembly, widen
from tinyedge.ops.fully_connected import FullyConnected

SUM_LIMIT = 1 << 23
_COMMENT = """\
One row of a fully connected layer with weights of 4 bits: output = weights x input, four rows of weights a turn.

layer   te_pairs_layer; scales (doubled multiplier, negated divisor); blocks of four rows a, b, c, d: what T3, T2,
        T4, T1 begin with, then for each four inputs two words, inputs (0, 2) and (1, 3), four rows in each half
input   aligned to a word; up to three bytes behind its end are read, and count nothing
r0 input, r1 weights, r2, r3, lr inputs, r4-r7 T3, T2, T4, T1, r8 turns, r9, r10 weights, r11 unpacked"""


@cache
def _assembly(low: int, high: int, wide: bool) -> Assembly:
    """The function for one clamp and form; nothing else of a layer is in its code."""
    asm = Assembly({}, LAYER)
    asm("push {r0-r11, lr}", f"ldr r12, [r0, #{LAYER['turns']}]", "mov r6, #0", "mov r7, #0x80808080")
    asm("sub r8, r12, #1", "rsb r5, r8, #0", "lsl r5, r5, #9", "lsrs r12, r12, #1", "bcs 6f")
    asm.block("odd inputs", "inputs less -128 are added up; an odd number of words starts in the middle of a turn")
    asm("ldr r3, [r1], #4", "b 7f")
    asm.block("inputs")
    asm("6: ldrd r2, r3, [r1], #8", "eor r2, r2, r7", "usada8 r5, r2, r6, r5")
    asm("7: eor r3, r3, r7", "usada8 r5, r3, r6, r5", "subs r12, r12, #1", "bne 6b")
    asm.block("start", "eight times their sum stays on the stack, behind the output's address")
    asm("lsl r5, r5, #3", "str r5, [sp, #12]", f"ldr r3, [r0, #{LAYER['rows']}]", f"add r4, r0, #{4 * HEADER_WORDS}")
    asm("push {r3, r4}", f"ldr r1, [r0, #{LAYER['blocks']}]", "add r1, r0")
    asm.block("rows", "next four rows")
    asm("1: ldrd r8, r0, [sp, #8]", f"ldr r8, [r8, #{LAYER['turns']}]", "ldm r1!, {r4-r7}", "lsrs r8, r8, #1", "bcs 2f")
    asm.block("odd", "an odd number of input words: start in the middle of a turn")
    asm("ldr r3, [r0], #4", "b 3f")
    asm.block("products", "eight inputs with four rows")
    asm("2: ldrd r2, r3, [r0], #8")
    _multiply(asm, "r2", wide=wide)
    asm("3:")
    _multiply(asm, "r3", wide=wide)
    asm("subs r8, r8, #1", "bne 2b")
    if wide:
        asm.block("outputs", "a = T3 - 8 x, 16 b = T2 - T3, 256 c = T4 - 2048 x, 16 d = T1 - c - 8 x; rescale, store")
        asm("ldr r2, [sp, #20]", "sub r5, r5, r4", "sub r4, r4, r2", "asr r5, r5, #4", "sub r6, r6, r2, lsl #8")
        asm("asr r6, r6, #8", "sub r7, r7, r6", "sub r7, r7, r2", "asr r7, r7, #4")
        put_rows(asm, ("r4", "r5", "r6", "r7"), low, high, kept=1)
        return asm
    asm.block("outputs", "256 c = T1 - T2 - T4 - 2048 x, 16 b = T2 - T3, a = T3 - 8 x, 4096 d = T4; rescale, store")
    asm("ldr r2, [sp, #20]", "sub r7, r7, r5", "sub r7, r7, r6", "sub r7, r7, r2, lsl #8", "sub r5, r5, r4")
    asm("sub r4, r4, r2", "asr r7, r7, #8", "asr r5, r5, #4", "asr r6, r6, #12")
    put_rows(asm, ("r4", "r5", "r7", "r6"), low, high, kept=1)
    return asm


def _multiply(asm: Assembly, inputs: str, *, wide: bool) -> None:
    """Four inputs, a word of which is in a register, with four rows."""
    widen(asm, inputs, "lr")
    asm("ldrd r9, r10, [r1], #8")
    for weights, x in (("r9", inputs), ("r10", "lr")):
        if wide:
            asm(f"sxtb16 r11, {weights}, ror #8", f"smlad r7, r11, {x}, r7", f"and r11, {weights}, #0x0F000F00")
        else:
            asm(f"smlad r7, {weights}, {x}, r7", f"and r11, {weights}, #0xF000F000")
        asm(f"smlad r6, r11, {x}, r6", f"and r11, {weights}, #0x000F000F", f"smlad r4, r11, {x}, r4")
        asm(f"sxtb16 {weights}, {weights}", f"smlad r5, {weights}, {x}, r5")


@cache
def _function(low: int, high: int, wide: bool) -> AsmFunction:
    return _assembly(low, high, wide).shared("te_fully_connected_int4", PROTOTYPE, _COMMENT)


def _largest_sums(p: FullyConnected) -> Int64Array:
    weights = centred_weights(p)
    return np.asarray(np.abs(bias_of(p, weights)) + 128 * np.abs(weights).sum(axis=1), np.int64)


@functools.lru_cache(maxsize=128)
def _is_wide(p: FullyConnected) -> bool:
    """Whether sums of a fourth row are large, or weights have no room for each other in the narrow form."""
    weights = centred_weights(p)
    padded = np.pad(weights, ((0, -p.outputs % ROWS), (0, 0)))
    crowded = mixing_reason(padded[1::ROWS], padded[2::ROWS])
    return bool(crowded or _largest_sums(p)[ROWS - 1 :: ROWS].max(initial=0) >= LAST_SUM_LIMIT)


class FullyConnectedInt4(ConnectedRows):
    """Any int8 fully connected layer whose weights are from -8 to 7, and whose sums stay below 2**23."""

    name = "armv7em/fully_connected_int4"
    words = 2

    def _assembly(self, p: FullyConnected) -> Assembly:
        return _assembly(p.activation_min, p.activation_max, _is_wide(p))

    def _function(self, p: FullyConnected) -> AsmFunction:
        return _function(p.activation_min, p.activation_max, _is_wide(p))

    def _weights_reason(self, p: FullyConnected) -> str:
        most = int(_largest_sums(p).max())
        too_large = f"a sum could reach {most:,}, the kernel takes less than 2**23" if most >= SUM_LIMIT else ""
        return storage.range_reason(centred_weights(p), 4) or too_large

    def _blocks(self, p: FullyConnected, weights: Int64Array, bias: Int64Array) -> Int64Array:
        rows, biases = (tuple(values[row::ROWS] for row in range(ROWS)) for values in (weights, bias))
        if _is_wide(p):
            a, b, c, d = rows
            mixed = ((a + 8 + 16 * b) & 0xFF) | ((c + 8 + 16 * d) & 0xFF) << 8
            a, b, c, d = biases
            t1, t2, t3, t4 = 16 * d + c, 16 * b + a, a, 256 * c
        else:
            mixed = mix_int4(*rows)
            t1, t2, t3, t4 = start_int4(*biases)
        halves = mixed.reshape(len(mixed), -1, LANES)
        words = np.stack([halves[..., 0] | halves[..., 2] << 16, halves[..., 1] | halves[..., 3] << 16], axis=-1)
        return np.concatenate([np.stack([t3, t2, t4, t1], axis=1), words.reshape(len(words), -1)], axis=1)

    def _storage(self, p: FullyConnected) -> Storage:
        blocks, input_words = -(-p.outputs // ROWS), -(-p.inputs // LANES)
        return Storage("int4", 4 * blocks * self.words * input_words, p.weights.size)


KERNELS: tuple[Kernel, ...] = (FullyConnectedInt4(),)
