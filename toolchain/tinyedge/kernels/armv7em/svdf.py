"""svdf: features by rows in pairs, then a walk over the state that moves it on and multiplies it at once.

What each filter makes of the input is a fully connected layer whose results, int16, go to scratch. A state's row moves
on by one value: words are read one value ahead of where they are stored, and are then just the operands of SMLAD.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.graph.ir import DType
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
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Operands, word_offsets
from tinyedge.kernels.thumb.assembly import Assembly, Ticks, requantize, scale_sums, widen
from tinyedge.ops.contract import Layer
from tinyedge.ops.svdf import Svdf

Int64Array = npt.NDArray[np.int64]

Order = tuple[int, ...]
ORDERS: tuple[Order, ...] = tuple(permutations(range(ROWS)))
SUMS = ("r4", "r5", "r6", "r7")
PAIR, FOUR = 2, 4
CALL_TICKS = Ticks(12, 18)
CALL_BYTES = 40
FEATURES = word_offsets(
    "te_svdf_features",
    {
        "turns": "half the words of an input, plus a half, times 2",
        "blocks": "",
        "multiplier": "doubled",
        "divisor": "negated",
        "zero_point": "of a state of int8",
    },
)
FEATURES_PROTOTYPE = "void NAME(const uint32_t *layer, const int8_t *input, int16_t *features)"
TIMES = word_offsets(
    "te_svdf_times",
    {"multiplier": "doubled", "divisor": "negated", "zero_point": "", "units": "", "rank": "filters of a unit"},
)
TIMES_PROTOTYPE = "void NAME(const uint32_t *layer, const int16_t *features, void *state, int8_t *output)"


@cache
def _features_assembly(wide: bool, order: Order | None) -> Assembly:
    """Results of 16 bits, or of 8, to which the zero point of the state is added, and they wrap.

    order  the place of each filter among the four of its block, of which two are pairs; None: they are not paired
    """
    asm = Assembly({}, FEATURES)
    asm("push {r0-r2, r4-r11, lr}", f"ldr r12, [r0, #{FEATURES['blocks']}]", "sub sp, sp, #4", "str r12, [sp]")
    asm(f"add r1, r0, #{4 * len(FEATURES.members)}")
    asm.block("rows", "next four filters")
    asm("1: ldrd r8, r0, [sp, #4]", f"ldr r8, [r8, #{FEATURES['turns']}]", "ldm r1!, {r4-r7}", "lsrs r8, r8, #1")
    asm("bcs 2f")
    asm.block("odd", "an odd number of input words: start in the middle of a turn")
    asm("ldr r3, [r0], #4", "b 3f")
    asm.block("products", "eight inputs with four filters")
    asm("2: ldrd r2, r3, [r0], #8")
    for label, inputs in (("", "r2"), ("3: ", "r3")):
        asm(f"{label}sxtb16 lr, {inputs}, ror #8", f"sxtb16 {inputs}, {inputs}")
        if order is None:
            multiply_plain_rows(asm, SUMS, inputs, "lr")
        else:
            multiply_rows(asm, SUMS, ("r9", "r10", "r11", "r12"), inputs, "lr")
    asm("subs r8, r8, #1", "bne 2b")
    asm.block("outputs", "separate the filters, rescale, store")
    if order is not None:
        part_sums(asm, SUMS)
    asm("ldr r8, [sp, #4]", f"ldrd r9, r10, [r8, #{FEATURES['multiplier']}]", "ldr r11, [sp, #12]", "mov r12, #0")
    scale_sums(asm, SUMS, "r9", rectified=False)
    asm(*(f"smmlsr {each}, {each}, r10, r12" for each in SUMS))
    asm(*(f"ssat {each}, #{16 if wide else 8}, {each}" for each in SUMS))
    if not wide:
        asm(f"ldr r9, [r8, #{FEATURES['zero_point']}]")
        asm(*(f"add {each}, {each}, r9" for each in SUMS), *(f"sxtb {each}, {each}" for each in SUMS))
    asm(*(f"strh {SUMS[place]}, [r11], #2" for place in order or range(ROWS)), "str r11, [sp, #12]")
    asm("ldr r3, [sp]", "subs r3, r3, #1", "str r3, [sp]", "bne 1b")
    asm.block("end")
    asm("add sp, sp, #16", "pop {r4-r11, pc}")
    return asm


@cache
def _times_assembly(memory: int, wide: bool) -> Assembly:
    """Rows of so many values of the state, int16 or int8."""
    asm = Assembly({}, TIMES)
    asm("push {r4-r11, lr}", "mov r4, r0", f"ldr r12, [r4, #{TIMES['units']}]", "push {r4, r12}", "mov r12, r1")
    asm("mov r1, r2", "mov r2, r12", f"add r0, r0, #{4 * len(TIMES.members)}")
    asm.block("unit", "next unit: its bias, and how many filters it has")
    asm("1: ldr r4, [sp]", f"ldr lr, [r4, #{TIMES['rank']}]", "ldr r12, [r0], #4")
    asm.block("filter", "move a row on, and sum it up")
    asm("2:")
    (_move_wide if wide else _move_narrow)(asm, memory)
    asm("subs lr, lr, #1", "bne 2b")
    asm.block("output", "rescale and store")
    asm("ldr r4, [sp]", "ldm r4, {r5-r7}")
    requantize(asm, ["r12"], "r5", "r6", "r7", rectified=False)
    asm("strb r12, [r3], #1", "ldr r4, [sp, #4]", "subs r4, r4, #1", "str r4, [sp, #4]", "bne 1b")
    asm.block("end")
    asm("add sp, sp, #8", "pop {r4-r11, pc}")
    return asm


def _move_wide(asm: Assembly, memory: int) -> None:
    """A row of int16: pairs of old values, then the feature, with the last old value where one is left."""
    quads, pairs = divmod((memory - 1) // PAIR, FOUR)
    for _ in range(quads):
        asm("ldr r4, [r1, #2]", "ldr r5, [r1, #6]", "ldr r6, [r1, #10]", "ldr r7, [r1, #14]", "ldm r0!, {r8-r11}")
        asm(*(f"str {each}, [r1], #4" for each in SUMS))
        asm(*(f"smlad r12, {old}, {time}, r12" for old, time in zip(SUMS, ("r8", "r9", "r10", "r11"), strict=True)))
    for _ in range(pairs):
        asm("ldr r4, [r1, #2]", "ldr r8, [r0], #4", "str r4, [r1], #4", "smlad r12, r4, r8, r12")
    asm("ldrsh r5, [r2], #2", "ldr r8, [r0], #4")
    if memory % PAIR == 0:
        asm("ldrh r4, [r1, #2]", "orr r4, r4, r5, lsl #16", "str r4, [r1], #4", "smlad r12, r4, r8, r12")
    else:
        asm("strh r5, [r1], #2", "smlabb r12, r5, r8, r12")


def _move_narrow(asm: Assembly, memory: int) -> None:
    """A row of int8: fours of old values, of which the last ends with the feature; or single ones, and the feature."""
    fours, singles = divmod(memory - 1, FOUR)
    for _ in range(fours):
        asm("ldr r4, [r1, #1]")
        _multiply_four(asm)
    if memory % FOUR == 0:
        asm("ldr r4, [r1]", "ldrsh r5, [r2], #2", "lsr r4, r4, #8", "orr r4, r4, r5, lsl #24")
        _multiply_four(asm)
        return
    for _ in range(singles):
        asm("ldrsb r4, [r1, #1]", "ldr r8, [r0], #4", "strb r4, [r1], #1", "smlabb r12, r4, r8, r12")
    asm("ldrsh r5, [r2], #2", "ldr r8, [r0], #4", "strb r5, [r1], #1", "smlabb r12, r5, r8, r12")


def _multiply_four(asm: Assembly) -> None:
    """Four values, in r4."""
    asm("ldr r8, [r0], #4", "str r4, [r1], #4")
    widen(asm, "r4", "r5")
    widen(asm, "r8", "r9")
    asm("smlad r12, r4, r8, r12", "smlad r12, r5, r9, r12")


def _features_function(p: Svdf) -> tuple[Assembly, AsmFunction]:
    asm = _features_assembly(_is_wide(p), _order(p))
    comment = (
        "What each filter makes of an input: features = weights x input, rescaled.\n\n"
        "layer   te_svdf_features; blocks of four filters a, b, c, d: four biases, then for each four inputs four\n"
        "        words of weights w_a + 256 w_b; or, of filters that are not paired, a word of four weights of each\n"
        "input   aligned to a word; up to three bytes behind its end are read, and count nothing\n"
        "r0 input, r1 weights, r2, r3, lr inputs, r4-r7 sums (a, a + 256 b, c, c + 256 d), r8 turns, r9-r12 weights"
    )
    return asm, asm.shared("te_svdf_features", FEATURES_PROTOTYPE, comment)


def _times_function(p: Svdf) -> tuple[Assembly, AsmFunction]:
    asm = _times_assembly(p.memory, _is_wide(p))
    comment = (
        f"Rows of {p.memory} values of the state moved on by one, the newest a feature, and summed up by units.\n\n"
        "layer   te_svdf_times; for each unit its bias, then the time weights of its filters, rows of words\n"
        "r0 weights, r1 state, r2 features, r3 output, r4-r7 values, r8-r11 weights, r12 sum, lr filters left"
    )
    return asm, asm.shared("te_svdf_times", TIMES_PROTOTYPE, comment)


def _is_wide(p: Svdf) -> bool:
    return p.state_dtype is DType.INT16


MOST_MEMORY = 64
"""values of a row, which code goes through without a loop"""


class SvdfRows(Kernel):
    """State of int8 or int16."""

    name = "armv7em/svdf"
    operators: ClassVar[tuple[str, ...]] = ("svdf",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: Svdf = layer.params
        if not core.has_dsp:
            return f"`{core.name}` has no DSP instructions"
        if p.memory > MOST_MEMORY:
            return f"the state remembers {p.memory} values, the kernel up to {MOST_MEMORY}"
        if _is_wide(p) and p.state_zero_point:
            return f"the zero point of a state of int16 is {p.state_zero_point}, the kernel takes 0"
        if p.batches > 1 and p.inputs % LANES:
            return f"rows of {p.inputs} inputs are not all aligned to a word"
        scales = np.array([p.feature_multiplier, p.output_multiplier]), np.array([p.feature_shift, p.output_shift])
        if 0 in scales[0]:
            return "it is scaled by nothing"
        return rounding.shifts_right(*scales)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        p: Svdf = layer.params
        return 2 * ROWS * -(-p.filters // ROWS)

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Svdf = layer.params
        (features, first), (times, second) = _features_function(p), _times_function(p)
        words, blocks = -(-p.inputs // LANES), -(-p.filters // ROWS)
        ticks = features.ticks("start") + features.ticks("end") + times.ticks("start") + times.ticks("end")
        ticks += blocks * (features.ticks("rows") + features.ticks("outputs"))
        ticks += p.units * (times.ticks("unit") + times.ticks("output")) + p.filters * times.ticks("filter")
        turn = features.ticks("products")
        ticks += Ticks(blocks * words * turn.instructions // 2, blocks * words * turn.cycles // 2) + CALL_TICKS
        return Cost(
            p.batches * ticks.cycles,
            CALL_BYTES,
            _features_layer(p).nbytes + _times_layer(p).nbytes,
            ((first.name, features.code_bytes), (second.name, times.code_bytes)),
            instructions=p.batches * ticks.instructions,
        )

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Svdf = layer.params
        (_, first), (_, second) = _features_function(p), _times_function(p)
        features = Constant(f"{operands.prefix}_features", "uint32_t", _features_layer(p), 4, "feature weights")
        times = Constant(f"{operands.prefix}_times", "uint32_t", _times_layer(p), 4, "biases and time weights")
        source, state, target = operands.inputs[0], operands.outputs[1], operands.outputs[0]
        scratch = f"(int16_t *)(void *)({operands.scratch})"
        if p.batches == 1:
            call = [
                f"{first.name}({features.name}, {source}, {scratch});",
                f"{second.name}({times.name}, {scratch}, {state}, {target});",
            ]
        else:
            call = [
                f"for (int row = 0; row < {p.batches}; row++) {{",
                f"  {first.name}({features.name}, {source} + row * {p.inputs}, {scratch});",
                f"  {second.name}({times.name}, {scratch}, {state} + row * {p.filters * p.memory}, "
                f"{target} + row * {p.units});",
                "}",
            ]
        return Code(call=tuple(call), constants=(features, times), assembler=(first, second))


def _order(p: Svdf) -> Order | None:
    """The first order of the filters in a block that pairs no weight of -128 with a negative one, with sums that have
    room; None without any."""
    return next((order for order in ORDERS if not rows_fit(*_filters(p, order))), None)


def _filters(p: Svdf, order: Order) -> tuple[Int64Array, Int64Array]:
    """Weights of all filters and zeros to whole blocks, and biases, which stand for the zero point of the input."""
    given = np.pad(p.features.astype(np.int64), ((0, -p.filters % ROWS), (0, 0))).reshape(-1, ROWS, p.inputs)
    placed = np.empty_like(given)
    placed[:, order] = given
    weights = placed.reshape(-1, p.inputs)
    return weights, -p.input_zero_point * weights.sum(axis=1)


def _features_layer(p: Svdf) -> npt.NDArray[np.uint32]:
    order = _order(p)
    blocks = plain_blocks(*_filters(p, ORDERS[0])) if order is None else row_blocks(*_filters(p, order))
    multiplier, divisor = rounding.scale_words(p.feature_multiplier, p.feature_shift)
    header = FEATURES.words(
        turns=-(-p.inputs // LANES) + 1,
        blocks=len(blocks),
        multiplier=multiplier,
        divisor=divisor,
        zero_point=p.state_zero_point,
    )
    return rounding.words(np.concatenate([header, blocks.reshape(-1)]))


def _times_layer(p: Svdf) -> npt.NDArray[np.uint32]:
    times = p.times.astype(np.int64).reshape(p.filters, p.memory)
    bias = p.bias.astype(np.int64) - p.state_zero_point * times.reshape(p.units, -1).sum(axis=1)
    rows = np.stack([(_wide_words if _is_wide(p) else _narrow_words)(row) for row in times])
    units = np.concatenate([bias[:, None], rows.reshape(p.units, -1)], axis=1)
    multiplier, divisor = rounding.scale_words(p.output_multiplier, p.output_shift)
    header = TIMES.words(
        multiplier=multiplier, divisor=divisor, zero_point=p.output_zero_point, units=p.units, rank=p.rank
    )
    return rounding.words(np.concatenate([header, units.reshape(-1)]))


def _wide_words(row: Int64Array) -> Int64Array:
    """Pairs, the last one filled up."""
    padded = np.pad(row, (0, row.size % PAIR))
    return rounding.halfwords(padded[0::2], padded[1::2])


def _narrow_words(row: Int64Array) -> Int64Array:
    """A word for each four, then one for each that is left."""
    fours = row.size if row.size % FOUR == 0 else (row.size - 1) // FOUR * FOUR
    return np.concatenate([row[:fours].astype(np.int8).view("<u4").astype(np.int64), row[fours:]])


KERNELS: tuple[Kernel, ...] = (SvdfRows(),)
