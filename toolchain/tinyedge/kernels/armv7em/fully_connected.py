"""fully_connected on two rows of weights at once, without widening weights at run time and without scratch.

Four rows, in pairs as `row_pairs` says, are computed in one pass over the input, whose words are widened as they come.
Rows that cannot be pairs, since a weight is -128 or sums are large, are four single ones.
"""

from __future__ import annotations

import abc
from collections.abc import Sequence
from functools import cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv7em import rounding
from tinyedge.kernels.armv7em.row_pairs import (
    LANES,
    ROWS,
    multiply_plain_rows,
    multiply_rows,
    part_sums,
    plain_blocks,
    row_blocks,
    rows_fit,
)
from tinyedge.kernels.common.filters import folded_bias, scales_alike
from tinyedge.kernels.common.overlap import connected_in_place
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Operands, Storage, word_offsets
from tinyedge.kernels.thumb.assembly import Assembly, clamp, requantize, widen
from tinyedge.ops.contract import Layer
from tinyedge.ops.fully_connected import FullyConnected

Int64Array = npt.NDArray[np.int64]

LAYER = word_offsets(
    "te_pairs_layer",
    {
        "turns": "half as many words of input as there are, plus a half, times 2",
        "rows": "",
        "zero_point": "",
        "scale_step": "8 when each row has its own scale, else 0",
        "blocks": "bytes from the start to the blocks",
    },
)
HEADER_WORDS = len(LAYER.members)
SUMS = ("r4", "r5", "r6", "r7")
CALL_TICKS = 40
CALL_BYTES = 20

PROTOTYPE = "void NAME(const uint32_t *layer, const int8_t *input, int8_t *output)"
COMMENT = """\
One row of a fully connected layer: output = weights x input, four rows of weights a turn.

layer   te_pairs_layer; scales (doubled multiplier, negated divisor); blocks of four rows: four biases, then for each
        four inputs four words of weights w_a + 256 w_b
input   aligned to a word; up to three bytes behind its end are read, and count nothing
r0 input, r1 weights, r2, r3, lr inputs, r4-r7 sums (a, a + 256 b, c, c + 256 d), r8 turns, r9-r12 weights
33 instructions for 32 products."""


PLAIN_COMMENT = """\
One row of a fully connected layer: output = weights x input, four rows of weights a turn.

layer   te_pairs_layer; scales (doubled multiplier, negated divisor); blocks of four rows: four biases, then for each
        four inputs a word of four weights of each row
input   aligned to a word; up to three bytes behind its end are read, and count nothing
r0 input, r1 weights, r2, r3, lr inputs, r4-r7 sums, r8 turns, r9, r10 weights
47 instructions for 32 products."""


@cache
def _assembly(low: int, high: int, *, plain: bool = False) -> Assembly:
    """The function for one clamp; nothing else of a layer is in its code. `plain`: rows are no pairs."""
    asm = Assembly({}, LAYER)
    asm("push {r0-r2, r4-r11, lr}", f"ldr r3, [r0, #{LAYER['rows']}]", f"add r4, r0, #{4 * HEADER_WORDS}")
    asm("push {r3, r4}", f"ldr r1, [r0, #{LAYER['blocks']}]", "add r1, r0")
    asm.block("rows", "next four rows; stack: rows left, scales, layer, input, output")
    asm("1: ldrd r8, r0, [sp, #8]", f"ldr r8, [r8, #{LAYER['turns']}]", "ldm r1!, {r4-r7}", "lsrs r8, r8, #1", "bcs 2f")
    asm.block("odd", "an odd number of input words: start in the middle of a turn")
    asm("ldr r3, [r0], #4", "b 3f")
    asm.block("products", "eight inputs with four rows")
    asm("2: ldrd r2, r3, [r0], #8")
    _multiply(asm, "r2", plain)
    asm("3:")
    _multiply(asm, "r3", plain)
    asm("subs r8, r8, #1", "bne 2b")
    asm.block("outputs", "rescale, store" if plain else "separate the rows, rescale, store")
    if not plain:
        part_sums(asm, SUMS)
    put_rows(asm, SUMS, low, high)
    return asm


def put_rows(asm: Assembly, sums: Sequence[str], low: int, high: int, *, kept: int = 0) -> None:
    """Rescale and store four rows, go on with the next at label 1, or return.

    sums  registers of the rows' sums, of r4 to r7
    kept  words of the function's own on the stack

    Stack: rows left, scales, layer, input, output; what is kept; then r4-r11 and the address to return to.
    """
    asm("ldrd r2, r8, [sp, #4]", f"ldrd r9, r10, [r8, #{LAYER['zero_point']}]", "ldr r11, [sp, #16]")
    for each in sums:
        asm("ldrd r3, r12, [r2]", "add r2, r10")
        requantize(asm, [each], "r3", "r12", "r9", rectified=False)
        clamp(asm, [each], low, high)
    asm("str r2, [sp, #4]", "ldr r3, [sp]", "subs r3, r3, #4", "str r3, [sp]", "bmi 4f")
    asm(*(f"strb {each}, [r11], #1" for each in sums), "str r11, [sp, #16]", "bne 1b")
    asm.block("end")
    asm("b 5f")
    asm.block("some", "fewer than four rows are left: r3 is their number less four")
    asm(f"4: strb {sums[0]}, [r11]", "cmn r3, #2", "it ge", f"strbge {sums[1]}, [r11, #1]")
    asm("cmn r3, #1", "it ge", f"strbge {sums[2]}, [r11, #2]")
    asm(f"5: add sp, sp, #{20 + 4 * kept}", "pop {r4-r11, pc}")


def _multiply(asm: Assembly, inputs: str, plain: bool) -> None:
    """Four inputs, a word of which is in a register, with four rows."""
    widen(asm, inputs, "lr")
    if plain:
        multiply_plain_rows(asm, SUMS, inputs, "lr")
    else:
        multiply_rows(asm, SUMS, ("r9", "r10", "r11", "r12"), inputs, "lr")


@cache
def _function(low: int, high: int) -> AsmFunction:
    return _assembly(low, high).shared("te_fully_connected_pairs", PROTOTYPE, COMMENT)


def centred_weights(p: FullyConnected) -> Int64Array:
    """Weights less their zero point, rows that are scaled by 0 as zeros."""
    weights = p.weights.astype(np.int64) - p.weight_zero_point
    return np.asarray(np.where((p.multiplier == 0)[:, None], 0, weights), np.int64)


def bias_of(p: FullyConnected, weights: Int64Array) -> Int64Array:
    """Biases with the input's zero point folded in."""
    bias = folded_bias(p.bias, weights, p.input_zero_point).astype(np.int64)
    return np.asarray(np.where(p.multiplier == 0, 0, bias), np.int64)


class ConnectedRows(Kernel):
    """int8 fully connected layers by a function that takes four rows of weights a turn; kernels tell how they lie."""

    operators: ClassVar[tuple[str, ...]] = ("fully_connected",)
    words: ClassVar[int]
    """of weights, for four rows of four inputs"""

    @abc.abstractmethod
    def _assembly(self, p: FullyConnected) -> Assembly: ...

    @abc.abstractmethod
    def _function(self, p: FullyConnected) -> AsmFunction: ...

    @abc.abstractmethod
    def _weights_reason(self, p: FullyConnected) -> str:
        """Why the weights cannot lie so; empty when they can."""

    @abc.abstractmethod
    def _blocks(self, p: FullyConnected, weights: Int64Array, bias: Int64Array) -> Int64Array:
        """Four words of biases and those of weights, block by block. Shapes: weights [rows, inputs], bias [rows]."""

    def _storage(self, p: FullyConnected) -> Storage | None:
        """How the weights lie in flash, where that is not as they are."""
        return None

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := rounding.runs_on(layer, core):
            return reason
        p: FullyConnected = layer.params
        if p.batches > 1 and p.inputs % LANES:
            return f"rows of {p.inputs} inputs are not all aligned to a word"
        return rounding.shifts_right(p.multiplier, p.shift) or self._weights_reason(p)

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: FullyConnected = layer.params
        asm = self._assembly(p)
        input_words = -(-p.inputs // LANES)
        blocks = -(-p.outputs // ROWS)
        each = asm.ticks("rows") + asm.ticks("outputs")
        ticks = blocks * each
        cycles, instructions = ticks.cycles, ticks.instructions
        for name, count in (("products", blocks), ("inputs", 1)):
            if asm.has(name):
                cycles += count * input_words * asm.ticks(name).cycles // 2
                instructions += count * input_words * asm.ticks(name).instructions // 2
        constants = 4 * (HEADER_WORDS + 2 * (1 if scales_alike(p) else ROWS * blocks))
        constants += 4 * blocks * (ROWS + self.words * input_words)
        shared = (self._function(p).name, asm.code_bytes)
        return Cost(
            p.batches * (cycles + CALL_TICKS),
            CALL_BYTES,
            constants,
            (shared,),
            self._storage(p),
            instructions=p.batches * instructions,
        )

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """A row of the input is read again for each four outputs, so all but the last four must stay clear of it."""
        return connected_in_place(layer.params)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: FullyConnected = layer.params
        function = self._function(p)
        name = f"{operands.prefix}_weights"
        source, target = operands.inputs[0], operands.outputs[0]
        call = f"{function.name}({name}, {source}, {target});"
        if p.batches > 1:
            call = (
                f"for (int row = 0; row < {p.batches}; row++) {{ {function.name}({name}, {source} + row * {p.inputs}, "
                f"{target} + row * {p.outputs}); }}"
            )
        comment = f"weights {p.outputs}x{p.inputs} in blocks of {ROWS} rows, with biases and scales"
        stream = self._pack(p)
        return Code(call=(call,), constants=(Constant(name, "uint32_t", stream, 4, comment),), assembler=(function,))

    def _pack(self, p: FullyConnected) -> npt.NDArray[np.uint32]:
        """The constants of a layer, as the function's comment lists them."""
        input_words = -(-p.inputs // LANES)
        rows = -(-p.outputs // ROWS) * ROWS
        centred = centred_weights(p)
        weights = np.zeros((rows, input_words * LANES), np.int64)
        weights[: p.outputs, : p.inputs] = centred
        bias = np.zeros(rows, np.int64)
        bias[: p.outputs] = bias_of(p, centred)
        alike = scales_alike(p)
        scales = [
            word
            for row in range(1 if alike else rows)
            for word in rounding.scale_words(int(p.multiplier[row % p.outputs]), int(p.shift[row % p.outputs]))
        ]
        header = LAYER.words(
            turns=input_words + 1,
            rows=p.outputs,
            zero_point=p.output_zero_point,
            scale_step=0 if alike else 8,
            blocks=4 * (HEADER_WORDS + len(scales)),
        )
        blocks = self._blocks(p, weights, bias).reshape(-1)
        return np.concatenate([rounding.words(header + scales), rounding.words(blocks)])


class FullyConnectedPairs(ConnectedRows):
    """int8 fully connected layers whose sums stay below 2**23."""

    name = "armv7em/fully_connected_pairs"
    words = ROWS

    def _assembly(self, p: FullyConnected) -> Assembly:
        return _assembly(p.activation_min, p.activation_max)

    def _function(self, p: FullyConnected) -> AsmFunction:
        return _function(p.activation_min, p.activation_max)

    def _weights_reason(self, p: FullyConnected) -> str:
        weights = centred_weights(p)
        return rows_fit(weights, bias_of(p, weights))

    def _blocks(self, p: FullyConnected, weights: Int64Array, bias: Int64Array) -> Int64Array:
        return row_blocks(weights, bias)


class FullyConnectedPlain(ConnectedRows):
    """int8 fully connected layers of any int8 weights and sums."""

    name = "armv7em/fully_connected_plain"
    words = ROWS

    def _assembly(self, p: FullyConnected) -> Assembly:
        return _assembly(p.activation_min, p.activation_max, plain=True)

    def _function(self, p: FullyConnected) -> AsmFunction:
        return self._assembly(p).shared("te_fully_connected_plain", PROTOTYPE, PLAIN_COMMENT)

    def _weights_reason(self, p: FullyConnected) -> str:
        weights = centred_weights(p)
        low, high = int(weights.min()), int(weights.max())
        return "" if low >= -128 and high <= 127 else f"weights reach from {low} to {high}, beyond int8"

    def _blocks(self, p: FullyConnected, weights: Int64Array, bias: Int64Array) -> Int64Array:
        return plain_blocks(weights, bias)


KERNELS: tuple[Kernel, ...] = (FullyConnectedPairs(), FullyConnectedPlain())
