"""unidirectional_sequence_lstm in int8: the four gates of a unit are four rows in pairs.

Input and old hidden state are widened once a step into a panel, then each unit is computed whole: the sums of its four
gates, their functions, the cell, the new hidden state. The gates' functions take one table of 512 straight pieces, a
start and a slope each, for negative and positive arguments, so that no magnitude is needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.arithmetic.sigmoid_s16 import logistic_table, tanh_factor
from tinyedge.boards import Core
from tinyedge.graph.ir import DType
from tinyedge.kernels.armv7em import rounding
from tinyedge.kernels.armv7em.row_pairs import LANES, multiply_rows, part_sums, row_blocks, rows_fit
from tinyedge.kernels.common import checks
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Operands, SharedFunction, word_offsets
from tinyedge.kernels.thumb.assembly import Assembly, Ticks, doubled_multiplier, load_constant, negated_divisor
from tinyedge.ops.contract import Layer
from tinyedge.ops.lstm import Factor, Lstm

LAYER = word_offsets(
    "te_lstm_layer",
    {
        "input_words": "whole words of a step's input",
        "hidden_words": "whole words of the hidden state",
        "units": "",
        "blocks": "bytes from the start to the blocks",
    },
)
HEADER_WORDS = len(LAYER.members)
PIECES = 512
"""of the table; the one in the middle starts at 0"""
TABLE = "te_gate_pieces"
MOST_LEFT = 7
"""a sum below 2**23 shifted left by so much stays in int32"""
CALL_TICKS = 30
STEP_TICKS = 24
LAYER_CODE_BYTES = 110
PROTOTYPE = (
    "void NAME(const uint32_t *layer, const int8_t *input, const int8_t *hidden, int16_t *cell, int8_t *output, "
    "uint32_t *panel, const uint32_t *pieces)"
)
COMMENT = """\
One step of one sequence through an LSTM.

layer   te_lstm_layer; twice (input, hidden state) the words + 1 and (doubled multiplier, negated divisor) of four
        gates; those of the forgotten cell, of the update and of the hidden state, and its zero point; then per unit a
        block for the input and one for the hidden state: four biases, and for each four values four words of weights
        w_a + 256 w_b of the gates input, forget and cell, output
hidden  the old state; output may be the same
panel   two words for each four values of the input, then of the hidden state
pieces  the middle of the table: start << 16 | slope
r0 panel, r1 weights, r4-r7 sums, then gates, r12 turns, then the table, lr scales"""


def signed_pieces() -> npt.NDArray[np.uint32]:
    """Shape: [512]. The logistic function from piece - 256 to the next: start in 1/65536, and slope, for i/24.

    Pieces below 0 mirror those above (1 - value), with the same slopes; ends are level.
    """
    table = logistic_table().astype(np.int64)
    slope = np.append(np.diff(table), 0)
    start = table.copy()
    start[-1] = 0xFFFF
    mirrored = np.append(65536 - table[1:], 1)
    starts, slopes = np.concatenate([mirrored[::-1], start]), np.concatenate([slope[::-1], slope])
    return rounding.words(starts << 16 | slopes)


@dataclass(frozen=True)
class _Form:
    """What of a layer is in its code: what remains of whole words, shifts of sums to the left, clip and tanh."""

    input_words: bool
    input_rest: int
    hidden_words: bool
    hidden_rest: int
    lefts: tuple[int | None, ...]
    """of own and past sums, four gates each; None: to the right"""
    clip: int
    tanh_multiplier: int
    tanh_shift: int

    @classmethod
    def of(cls, p: Lstm) -> _Form:
        factors = [gate.factor for gate in p.gates] + [gate.recurrent_factor for gate in p.gates]
        lefts = tuple(shift if shift >= 0 else None for _, shift in factors)
        multiplier, right = tanh_factor(p.cell_power)
        sizes = (p.inputs >= LANES, p.inputs % LANES, p.units >= LANES, p.units % LANES)
        return cls(*sizes, lefts, p.cell_clip, multiplier, right)


# -- the function ----------------------------------------------------------------------------------------------------


@cache
def _assembly(form: _Form) -> Assembly:
    asm = Assembly({}, LAYER)
    asm("push {r4-r11, lr}", "ldr r4, [sp, #40]")
    _widen(asm, "input", form.input_rest, whole=form.input_words)
    asm.block("between")
    asm("mov r1, r2")
    _widen(asm, "hidden", form.hidden_rest, whole=form.hidden_words)
    asm.block("frame", "stack: two words of sums, cell, panel, scales, output, its end")
    asm(
        "ldr r4, [sp, #40]", f"add r5, r0, #{4 * HEADER_WORDS}", "ldr r6, [sp, #36]", f"ldr r7, [r0, #{LAYER['units']}]"
    )
    asm("add r7, r7, r6", "push {r3-r7}", "sub sp, sp, #8", f"ldr r1, [r0, #{LAYER['blocks']}]", "add r1, r1, r0")
    asm.block("unit", "next unit")
    asm("1: ldr r0, [sp, #12]", "ldr lr, [sp, #16]")
    _sums(asm, "input", form.lefts[:4])
    asm("strd r4, r6, [sp]")
    _sums(asm, "hidden", form.lefts[4:])
    asm("ldrd r8, r9, [sp]", "qadd16 r4, r4, r8", "qadd16 r6, r6, r9")
    _gates(asm)
    _cell(asm, form)
    asm.block("output", "the new hidden state")
    asm("smulbb r4, r4, r6", "ldm lr!, {r0, r2, r3}")
    _rescale(asm, "r4", "r0", "r2", "r3", bits=8)
    asm("ldr r2, [sp, #20]", "strb r4, [r2], #1", "str r2, [sp, #20]", "ldr r3, [sp, #24]", "cmp r2, r3", "bne 1b")
    asm.block("end")
    asm("add sp, sp, #28", "pop {r4-r11, pc}")
    return asm


def _widen(asm: Assembly, name: str, rest: int, *, whole: bool) -> None:
    """Values at r1 to the panel at r4, byte by byte: rows need not be aligned, and nothing behind them is read."""
    if whole:
        asm.block(f"{name} start", f"widen the {name}")
        asm(f"ldr r5, [r0, #{LAYER[f'{name}_words']}]")
        asm.block(f"{name} word")
        asm(*(f"{'4: ' if at == 0 else ''}ldrsb r{6 + at}, [r1], #1" for at in range(LANES)))
        asm("pkhbt r6, r6, r8, lsl #16", "pkhbt r7, r7, r9, lsl #16", "stm r4!, {r6, r7}", "subs r5, r5, #1", "bne 4b")
    if rest:
        asm.block(f"{name} rest", f"the last of the {name}, less than a word of it")
        asm(*(f"ldrsb r{6 + at}, [r1], #1" for at in range(rest)))
        asm(*(f"mov r{6 + at}, #0" for at in range(rest, LANES)))
        asm("pkhbt r6, r6, r8, lsl #16", "pkhbt r7, r7, r9, lsl #16", "stm r4!, {r6, r7}")


def _sums(asm: Assembly, name: str, lefts: tuple[int | None, ...]) -> None:
    """r4: the gates input and forget, r6: cell and output, each two int16."""
    asm("ldm r1!, {r4-r7}", "ldr r12, [lr], #4", "lsrs r12, r12, #1", "bcc 3f")
    asm.block(f"{name} products", f"eight values of the {name} with four gates; an odd number of words starts at 3")
    for label in ("2", "3"):
        asm(f"{label}: ldrd r2, r3, [r0], #8")
        multiply_rows(asm, ("r4", "r5", "r6", "r7"), ("r8", "r9", "r10", "r11"), "r2", "r3")
    asm("subs r12, r12, #1", "bne 2b")
    asm.block("unit")
    part_sums(asm, ("r4", "r5", "r6", "r7"))
    for low, high, shifts in (("r4", "r5", lefts[:2]), ("r6", "r7", lefts[2:])):
        asm("ldm lr!, {r8-r11}")
        for sums, multiplier, divisor, left in ((low, "r8", "r9", shifts[0]), (high, "r10", "r11", shifts[1])):
            if left is None:
                _rescale(asm, sums, multiplier, divisor, "r12")
            else:
                asm(*([f"lsl {sums}, {sums}, #{left}"] if left else []))
                asm(f"smmlar {sums}, {sums}, {multiplier}, {sums}", f"ssat {sums}, #16, {sums}")
        asm(f"pkhbt {low}, {low}, {high}, lsl #16")


def _rescale(asm: Assembly, value: str, multiplier: str, divisor: str, zero_point: str, bits: int = 16) -> None:
    asm(f"smmlar {value}, {value}, {multiplier}, {value}", f"add {value}, {value}, {value}, asr #31")
    asm(f"smmlsr {value}, {value}, {divisor}, {zero_point}", f"ssat {value}, #{bits}, {value}")


def _gates(asm: Assembly) -> None:
    """r5: input, r4: forget, r7: cell, r6: output gate, with 15 fractional bits, from pairs in r4 and r6."""
    asm.block("gates", "input, forget, cell and output gate: r5, r4, r7, r6")
    asm("ldr r12, [sp, #72]", "mov r11, #3")
    load_constant(asm, "r10", (1 << 23) - 128)
    _sigmoid(asm, "r5", "r4", "b")
    _sigmoid(asm, "r4", "r4", "t")
    asm("smulbb r7, r6, r11")
    _tanh(asm, "r7")
    _sigmoid(asm, "r6", "r6", "t")


def _sigmoid(asm: Assembly, target: str, source: str, half: str) -> None:
    asm(f"smul{half}b {target}, {source}, r11", f"asr r2, {target}, #9", "ldr r2, [r12, r2, lsl #2]")
    asm(f"ubfx r3, {target}, #0, #9", "lsr r0, r2, #16", "lsl r0, r0, #9", "smlabb r0, r3, r2, r0")
    asm(f"add r0, r0, {target}, asr #31", "add r0, r0, #512", f"asr {target}, r0, #10")


def _tanh(asm: Assembly, target: str) -> None:
    """Of `target` in steps of 1 / (3 * 4096)."""
    asm(f"asr r2, {target}, #8", "ssat r2, #9, r2", "ldr r2, [r12, r2, lsl #2]", f"uxtb r3, {target}")
    asm("lsr r0, r2, #16", "lsl r0, r0, #8", "smlabb r0, r3, r2, r0")
    asm(f"add r0, r0, {target}, asr #31", "sub r0, r0, r10", f"asr {target}, r0, #8")


def _cell(asm: Assembly, form: _Form) -> None:
    """The new cell, and its tanh in r4."""
    asm.block("cell", "the new cell")
    asm("ldr r8, [sp, #8]", "ldrsh r0, [r8]", "smulbb r4, r4, r0", "smulbb r5, r5, r7", "ldm lr!, {r0, r2, r3, r7}")
    asm("mov r9, #0")
    _rescale(asm, "r4", "r0", "r2", "r9")
    _rescale(asm, "r5", "r3", "r7", "r9")
    asm("qadd16 r4, r4, r5", "sxth r4, r4")
    if form.clip >= 0:
        asm(f"movw r0, #{form.clip}", "cmp r4, r0", "it gt", "movgt r4, r0", "rsb r0, r0, #0", "cmp r4, r0", "it lt")
        asm("movlt r4, r0")
    asm("strh r4, [r8], #2", "str r8, [sp, #8]", f"movw r0, #{form.tanh_multiplier}", "mul r4, r4, r0")
    if form.tanh_shift:
        asm(f"add r4, r4, #{1 << form.tanh_shift >> 1}", f"asr r4, r4, #{form.tanh_shift}")
    _tanh(asm, "r4")


# -- the kernel ------------------------------------------------------------------------------------------------------


def _function(p: Lstm) -> AsmFunction:
    return _assembly(_Form.of(p)).shared("te_lstm_step", PROTOTYPE, COMMENT)


def _matrices(p: Lstm) -> tuple[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]], ...]:
    """(weights [units * 4, values], bias [units * 4]) of the input and of the hidden state, zero points folded in."""

    def by_unit(arrays: list[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
        return np.stack(arrays, axis=1).reshape(4 * p.units, *arrays[0].shape[1:])

    own = by_unit([gate.weights.astype(np.int64) for gate in p.gates])
    past = by_unit([gate.recurrent.astype(np.int64) for gate in p.gates])
    bias = by_unit([gate.bias.astype(np.int64) for gate in p.gates])
    return (own, bias - p.input_zero_point * own.sum(axis=1)), (past, -p.hidden_zero_point * past.sum(axis=1))


def _scales_fit(p: Lstm) -> str:
    products = (p.cell_factor, p.update_factor, p.hidden_factor)
    sums = [gate.factor for gate in p.gates] + [gate.recurrent_factor for gate in p.gates]
    if any(multiplier < 1 << 30 for multiplier, _ in (*products, *sums)):
        return "a scale is 0, the kernel takes multipliers from 2**30"
    if any(shift >= 0 for _, shift in products):
        return "a product of gates is shifted left, the kernel shifts to the right"
    most = max(shift for _, shift in sums)
    return f"a sum is shifted left by {most}, the kernel shifts by {MOST_LEFT} at most" if most > MOST_LEFT else ""


def _factor_words(factor: Factor) -> list[int]:
    multiplier, shift = factor
    return [doubled_multiplier(multiplier), negated_divisor(-shift) if shift < 0 else 0]


class Lstm4Gates(Kernel):
    """Any number of batches, steps, inputs and units, in int8, whose sums stay below 2**23."""

    name = "armv7em/unidirectional_sequence_lstm"
    operators: ClassVar[tuple[str, ...]] = ("unidirectional_sequence_lstm",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: Lstm = layer.params
        if not core.has_dsp:
            return f"`{core.name}` has no DSP instructions"
        if p.dtype is not DType.INT8:
            return f"its activations are {p.dtype.value}, the kernel computes in int8"
        reasons = (checks.sizes((p.batches, p.steps, p.inputs, p.units)), _scales_fit(p))
        return next(filter(None, (*reasons, *(rows_fit(*matrix) for matrix in _matrices(p)))), "")

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Lstm = layer.params
        asm, function = _assembly(_Form.of(p)), _function(p)
        words = {"input": -(-p.inputs // LANES), "hidden": -(-p.units // LANES)}
        step, unit = Ticks(STEP_TICKS // 2, STEP_TICKS), Ticks()
        for block in asm.names:
            ticks, (name, _, rest) = asm.ticks(block), block.partition(" ")
            if rest == "word":
                step += (p.inputs if name == "input" else p.units) // LANES * ticks
            elif rest == "products":  # a turn is two words
                unit += Ticks(words[name] * ticks.instructions // 2, words[name] * ticks.cycles // 2)
            elif block in ("unit", "gates", "cell", "output"):
                unit += ticks
            else:
                step += ticks
        ticks = p.batches * p.steps * (step + p.units * unit)
        shared = ((function.name, asm.code_bytes), (TABLE, 4 * PIECES))
        cycles = ticks.cycles + p.batches * CALL_TICKS
        return Cost(cycles, LAYER_CODE_BYTES, pack(p).nbytes, shared, instructions=ticks.instructions)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        p: Lstm = layer.params
        return 8 * (-(-p.inputs // LANES) - (-p.units // LANES))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Lstm = layer.params
        prefix, function = operands.prefix, _function(p)
        output, hidden, cell = operands.outputs
        comment = f"weights of {p.units} units, {p.inputs} inputs, with biases and scales"
        return Code(
            call=(f"{prefix}_sequence({operands.inputs[0]}, {hidden}, {cell}, {output}, (void *){operands.scratch});",),
            constants=(Constant(f"{prefix}_weights", "uint32_t", pack(p), 4, comment),),
            functions=_sequence(p, prefix, function.name),
            includes=("string.h",),
            shared=(_table(),),
            assembler=(function,),
        )


def _table() -> SharedFunction:
    """The pieces in C."""
    values = [f"{value:#010x}" for value in signed_pieces()]
    rows = (", ".join(values[at : at + 8]) for at in range(0, PIECES, 8))
    text = f"static const uint32_t {TABLE}[{PIECES}] = {{\n  " + ",\n  ".join(rows) + ",\n};\n"
    return SharedFunction(TABLE, "/* The logistic function in straight pieces, start << 16 | slope. */\n" + text)


def _sequence(p: Lstm, prefix: str, step: str) -> str:
    """The function in C that runs all steps of all sequences."""
    place = f"step * {p.batches} + batch" if p.time_major else f"batch * {p.steps} + step"
    return f"""\
/* All steps of {p.batches} sequences; the state that the last one leaves is kept. */
static void {prefix}_sequence(const int8_t *input, int8_t *hidden, int16_t *cell, int8_t *output, uint32_t *panel) {{
  for (uint32_t batch = 0; batch < {p.batches}; batch++) {{
    const int8_t *old = hidden;
    for (uint32_t step = 0; step < {p.steps}; step++) {{
      const uint32_t place = {place};
      int8_t *now = output + place * {p.units};
      {step}({prefix}_weights, input + place * {p.inputs}, old, cell, now, panel, {TABLE} + {PIECES // 2});
      old = now;
    }}
    memcpy(hidden, old, {p.units});
    hidden += {p.units};
    cell += {p.units};
  }}
}}
"""


def pack(p: Lstm) -> npt.NDArray[np.uint32]:
    """The constants of a layer, as the function's comment lists them."""
    scales: list[int] = []
    for values, factors in (
        (p.inputs, [gate.factor for gate in p.gates]),
        (p.units, [gate.recurrent_factor for gate in p.gates]),
    ):
        scales.append(-(-values // LANES) + 1)
        scales += [word for factor in factors for word in _factor_words(factor)]
    for factor in (p.cell_factor, p.update_factor, p.hidden_factor):
        scales += _factor_words(factor)
    scales.append(p.hidden_zero_point)
    header = LAYER.words(
        input_words=p.inputs // LANES,
        hidden_words=p.units // LANES,
        units=p.units,
        blocks=4 * (HEADER_WORDS + len(scales)),
    )
    blocks = np.concatenate([row_blocks(*matrix) for matrix in _matrices(p)], axis=1)
    return np.concatenate([rounding.words(header + scales), rounding.words(blocks.reshape(-1))])


KERNELS: tuple[Kernel, ...] = (Lstm4Gates(),)
