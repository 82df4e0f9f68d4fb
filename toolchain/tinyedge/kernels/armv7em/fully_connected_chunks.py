"""fully_connected on rows in pairs, input by chunks: any number of inputs, and one or two rows left stay single.

A chunk is short enough for the sums of second rows to stay below 2**23 whatever weights and inputs are; behind each,
they are taken apart and added up. Rows that do not fill a block of four by themselves take no flash for the others.
"""

from __future__ import annotations

from functools import cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv7em import rounding
from tinyedge.kernels.armv7em.fully_connected import bias_of, centred_weights
from tinyedge.kernels.armv7em.row_pairs import LANES, ROWS, multiply_rows, pairs_fit, row_blocks
from tinyedge.kernels.common.filters import scales_alike
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Operands, word_offsets
from tinyedge.kernels.thumb.assembly import Assembly, clamp, requantize, widen
from tinyedge.ops.contract import Layer
from tinyedge.ops.fully_connected import FullyConnected

CHUNK_WORDS = 126
"""128 * 128 * 4 * 126 is below 2**23"""
LAYER = word_offsets(
    "te_chunks_layer",
    {
        "turns": "half the words of the first chunk, plus a half, times 2",
        "chunks": "that follow the first",
        "blocks": "of four rows",
        "singles": "rows behind the blocks",
        "zero_point": "",
        "scale_step": "8 when each row has its own scale, else 0",
        "weights": "bytes from the start to the blocks",
    },
)
HEADER_WORDS = len(LAYER.members)
CALL_TICKS = 12
CALL_BYTES = 20
PROTOTYPE = "void NAME(const uint32_t *layer, const int8_t *input, int8_t *output)"
COMMENT = f"""\
One row of a fully connected layer: output = weights x input, by chunks of {CHUNK_WORDS} words.

layer   te_chunks_layer; scales (doubled multiplier, negated divisor); blocks of four rows a, b, c, d: four biases, then
        for each four inputs four words of weights w_a + 256 w_b; single rows: a bias, then words of four weights
input   aligned to a word; up to three bytes behind its end are read, and count nothing
r0 input, r1 weights, r2, r3, lr inputs, r4-r7 sums (a, a + 256 b, c, c + 256 d), r8 turns, r9-r12 weights
stack   totals of b and d, blocks or rows left, scales, chunks left, layer, input, output"""
_SUMS = ("r4", "r5", "r6", "r7")


@cache
def _assembly(low: int, high: int, *, blocks: bool, singles: bool) -> Assembly:
    """The function for one clamp, with or without blocks and single rows."""
    asm = Assembly({}, LAYER)
    asm("push {r0-r2, r4-r11, lr}", "sub sp, sp, #20", f"add r2, r0, #{4 * HEADER_WORDS}", "str r2, [sp, #12]")
    asm(f"ldr r1, [r0, #{LAYER['weights']}]", "add r1, r1, r0")
    if blocks:
        asm(f"ldr r2, [r0, #{LAYER['blocks']}]", "str r2, [sp, #8]")
        _blocks(asm, low, high)
    if singles:
        asm.block("first single")
        asm("ldr r0, [sp, #20]", f"ldr r2, [r0, #{LAYER['singles']}]", "str r2, [sp, #8]")
        _singles(asm, low, high)
    asm.block("end")
    asm("add sp, sp, #32", "pop {r4-r11, pc}")
    return asm


def _blocks(asm: Assembly, low: int, high: int) -> None:
    asm.block("rows", "next four rows")
    asm("1: ldrd r2, r0, [sp, #20]", "ldm r1!, {r4-r7}", "strd r5, r7, [sp]", "mov r5, r4", "mov r7, r6")
    _first_chunk(asm)
    asm.block("products", "eight inputs with four rows")
    asm("2: ldrd r2, r3, [r0], #8")
    for label, inputs in (("", "r2"), ("3: ", "r3")):
        asm(f"{label}sxtb16 lr, {inputs}, ror #8", f"sxtb16 {inputs}, {inputs}")
        multiply_rows(asm, _SUMS, ("r9", "r10", "r11", "r12"), inputs, "lr")
    asm("subs r8, r8, #1", "bne 2b")
    asm.block("chunk", "take the sums apart, for the next chunk")
    asm("sub r5, r5, r4", "sub r7, r7, r6", "ldrd r9, r10, [sp]", "add r9, r9, r5, asr #8", "add r10, r10, r7, asr #8")
    asm("strd r9, r10, [sp]", "mov r5, r4", "mov r7, r6")
    _next_chunk(asm)
    asm.block("outputs", "rescale, store")
    asm("mov r5, r9", "mov r7, r10")
    _scales(asm)
    for sums in _SUMS:
        asm("ldrd r3, r12, [r2]", "add r2, r2, r10")
        requantize(asm, [sums], "r3", "r12", "r9", rectified=False)
        clamp(asm, [sums], low, high)
    asm(*(f"strb {sums}, [r11], #1" for sums in _SUMS))
    _next_rows(asm)


def _singles(asm: Assembly, low: int, high: int) -> None:
    asm.block("single", "next row")
    asm("1: ldrd r2, r0, [sp, #20]", "ldr r4, [r1], #4")
    _first_chunk(asm)
    asm.block("single products", "eight inputs with one row")
    asm("2: ldrd r2, r3, [r0], #8")
    for label, inputs in (("", "r2"), ("3: ", "r3")):
        asm(f"{label}ldr r9, [r1], #4")
        widen(asm, inputs, "lr")
        widen(asm, "r9", "r10")
        asm(f"smlad r4, r9, {inputs}, r4", "smlad r4, r10, lr, r4")
    asm("subs r8, r8, #1", "bne 2b")
    asm.block("single chunk")
    _next_chunk(asm)
    asm.block("single output")
    _scales(asm)
    asm("ldrd r3, r12, [r2]", "add r2, r2, r10")
    requantize(asm, ["r4"], "r3", "r12", "r9", rectified=False)
    clamp(asm, ["r4"], low, high)
    asm("strb r4, [r11], #1")
    _next_rows(asm)


def _first_chunk(asm: Assembly) -> None:
    """r2: the layer. An odd number of words starts in the middle of a turn, at 3."""
    asm(f"ldrd r8, r3, [r2, #{LAYER['turns']}]", "str r3, [sp, #16]", "lsrs r8, r8, #1", "bcs 2f")
    asm("ldr r3, [r0], #4", "b 3f")


def _next_chunk(asm: Assembly) -> None:
    asm("ldr r2, [sp, #16]", "subs r2, r2, #1", "str r2, [sp, #16]", f"mov r8, #{CHUNK_WORDS // 2}", "bpl 2b")


def _scales(asm: Assembly) -> None:
    """r2: scales, r9: zero point, r10: bytes to the next scales, r11: output."""
    asm("ldrd r2, r8, [sp, #12]", "ldr r8, [sp, #20]", f"ldrd r9, r10, [r8, #{LAYER['zero_point']}]")
    asm("ldr r11, [sp, #28]")


def _next_rows(asm: Assembly) -> None:
    asm("str r2, [sp, #12]", "str r11, [sp, #28]", "ldr r3, [sp, #8]", "subs r3, r3, #1", "str r3, [sp, #8]", "bne 1b")


def _assembly_of(p: FullyConnected) -> Assembly:
    blocks, singles = divmod(p.outputs, ROWS)
    return _assembly(p.activation_min, p.activation_max, blocks=blocks > 0, singles=singles > 0)


def _function(p: FullyConnected) -> AsmFunction:
    return _assembly_of(p).shared("te_fully_connected_chunks", PROTOTYPE, COMMENT)


class FullyConnectedChunks(Kernel):
    """int8 fully connected layers of one image, of any size."""

    name = "armv7em/fully_connected_chunks"
    operators: ClassVar[tuple[str, ...]] = ("fully_connected",)

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := rounding.runs_on(layer, core):
            return reason
        p: FullyConnected = layer.params
        if p.batches > 1:
            return f"there are {p.batches} rows of inputs, the kernel takes one"
        if p.outputs % ROWS == ROWS - 1:
            return f"{p.outputs} rows are three more than blocks of four hold"
        return rounding.shifts_right(p.multiplier, p.shift) or pairs_fit(_blocks_of(centred_weights(p)))

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: FullyConnected = layer.params
        asm = _assembly_of(p)
        blocks, singles = divmod(p.outputs, ROWS)
        words = -(-p.inputs // LANES)
        chunks = -(-words // CHUNK_WORDS)
        ticks = asm.ticks("start") + asm.ticks("end")
        if blocks:
            ticks += blocks * (asm.ticks("rows") + chunks * asm.ticks("chunk") + asm.ticks("outputs"))
        if singles:
            each = asm.ticks("single") + chunks * asm.ticks("single chunk") + asm.ticks("single output")
            ticks += asm.ticks("first single") + singles * each
        cycles, instructions = ticks.cycles + CALL_TICKS, ticks.instructions
        for name, count in (("products", blocks), ("single products", singles)):
            if count:
                cycles += count * words * asm.ticks(name).cycles // 2
                instructions += count * words * asm.ticks(name).instructions // 2
        shared = (_function(p).name, asm.code_bytes)
        return Cost(cycles, CALL_BYTES, pack(p).nbytes, (shared,), instructions=instructions)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: FullyConnected = layer.params
        function, name = _function(p), f"{operands.prefix}_weights"
        comment = f"weights {p.outputs}x{p.inputs} in blocks of {ROWS} rows and single ones, with biases and scales"
        return Code(
            call=(f"{function.name}({name}, {operands.inputs[0]}, {operands.outputs[0]});",),
            constants=(Constant(name, "uint32_t", pack(p), 4, comment),),
            assembler=(function,),
        )


def _blocks_of(weights: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The rows that stand in blocks."""
    return weights[: len(weights) // ROWS * ROWS]


def pack(p: FullyConnected) -> npt.NDArray[np.uint32]:
    """The constants of a layer, as the function's comment lists them."""
    words = -(-p.inputs // LANES)
    chunks = -(-words // CHUNK_WORDS) - 1
    blocks, singles = divmod(p.outputs, ROWS)
    weights = centred_weights(p)
    bias = bias_of(p, weights)
    alike = scales_alike(p)
    scales = [
        word
        for row in range(1 if alike else p.outputs)
        for word in rounding.scale_words(int(p.multiplier[row]), int(p.shift[row]))
    ]
    header = LAYER.words(
        turns=words - chunks * CHUNK_WORDS + 1,
        chunks=chunks,
        blocks=blocks,
        singles=singles,
        zero_point=p.output_zero_point,
        scale_step=0 if alike else 8,
        weights=4 * (HEADER_WORDS + len(scales)),
    )
    parts = [rounding.words(header + scales)]
    if blocks:
        rows = blocks * ROWS
        packed = row_blocks(weights[:rows], np.zeros(rows, np.int64))
        packed[:, :ROWS] = bias[:rows].reshape(blocks, ROWS)
        parts.append(rounding.words(packed.reshape(-1)))
    if singles:
        tail = np.zeros((singles, 4 * (1 + words)), np.uint8)
        tail[:, :4] = bias[-singles:].astype("<i4").view(np.uint8).reshape(singles, 4)
        tail[:, 4 : 4 + p.inputs] = weights[-singles:].astype(np.int8).view(np.uint8)
        parts.append(tail.reshape(-1).view("<u4").astype(np.uint32))
    return np.concatenate(parts)


KERNELS: tuple[Kernel, ...] = (FullyConnectedChunks(),)
