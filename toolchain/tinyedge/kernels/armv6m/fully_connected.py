"""fully_connected, four outputs at a time: each input is loaded once for four rows of weights, which stay as they are.

One pixel has no neighbour to share a word with, so this is a plain product at a time: 19 cycles for four. Where all
outputs have one scale, one line serves them all.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv6m.asm import Assembly, core_reason, emit_line, load_line
from tinyedge.kernels.armv6m.requantize import Line, LineForm, Scale, find_line
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import weights_constant
from tinyedge.kernels.common.filters import folded_bias, scales_alike
from tinyedge.kernels.common.overlap import connected_in_place
from tinyedge.kernels.common.sums import Sums, find_sums
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Operands, word_offsets
from tinyedge.ops.contract import Layer
from tinyedge.ops.fully_connected import FullyConnected

OUTPUTS = 4
CALL_CYCLES = 20
CALL_BYTES = 22
LAYER = word_offsets("te_connected_layer", {"inputs": "", "outputs": "", "batches": "rows of inputs"})
HEADER_WORDS = len(LAYER.members)
_SUMS = ("r8", "r9", "r10", "r11")
# What is on the stack.
_LAYER, _INPUT, _OUTPUT, _WEIGHTS, _SCALES, _START, _BATCHES = (f"[sp, #{4 * word}]" for word in range(7))
_FRAME_BYTES = 28


@functools.lru_cache(maxsize=64)
def input_bias(p: FullyConnected) -> npt.NDArray[np.int32]:
    """The bias with the input's zero point folded in."""
    return folded_bias(p.bias, p.weights, p.input_zero_point)


@dataclass(frozen=True)
class Form:
    """What the code depends on. unroll: inputs in one turn; common: one line for all outputs"""

    line: LineForm
    unroll: int
    common: bool


@dataclass(frozen=True, eq=False)
class Scaling:
    """The line, whose arrays hold one value if it is common to all outputs."""

    line: Line
    common: bool


@functools.lru_cache(maxsize=64)
def find_scaling(p: FullyConnected) -> Scaling | None:
    """How the layer's sums become int8, if that is possible."""
    sums = find_sums(p.weights, input_bias(p))
    limits = p.output_zero_point, p.activation_min, p.activation_max
    if scales_alike(p):
        widest = Sums(sums.low.min(keepdims=True), sums.high.max(keepdims=True))
        line = find_line(Scale(p.multiplier[:1], p.shift[:1], *limits), widest)
        if line is not None:
            return Scaling(line, common=True)
    line = find_line(Scale(p.multiplier, p.shift, *limits), sums)
    return None if line is None else Scaling(line, common=False)


def _found(p: FullyConnected) -> Scaling:
    scaling = find_scaling(p)
    assert scaling is not None
    return scaling


def _form(p: FullyConnected) -> Form:
    scaling = _found(p)
    unroll = next(count for count in (4, 3, 2, 1) if p.inputs % count == 0)
    return Form(scaling.line.form, unroll, scaling.common)


@functools.cache
def _assembly(form: Form) -> Assembly:
    asm = Assembly(LAYER)
    scales = 4 * (HEADER_WORDS + form.common * form.line.words)
    asm.save()
    asm(f"sub sp, #{_FRAME_BYTES}", f"str r0, {_LAYER}", f"str r1, {_INPUT}", f"str r2, {_OUTPUT}")
    asm(f"str r3, {_WEIGHTS}", f"ldr r3, [r0, #{LAYER['batches']}]", f"str r3, {_BATCHES}")
    asm.block("batch")
    asm(f"1: ldr r0, {_LAYER}", f"adds r0, #{scales}", f"str r0, {_SCALES}", "movs r0, #0")
    asm(f"str r0, {_START}")
    asm.block("group", "r0-r3 ends of four rows of weights, r4 end of the inputs, r7 counts up to 0")
    asm(f"2: ldr r4, {_LAYER}", f"ldr r7, [r4, #{LAYER['inputs']}]", f"ldr r5, {_START}", "muls r5, r7, r5")
    asm(f"ldr r0, {_WEIGHTS}", "adds r0, r0, r5", "adds r0, r0, r7", "adds r1, r0, r7", "adds r2, r1, r7")
    asm("adds r3, r2, r7", f"ldr r6, {_SCALES}")
    for first, second in (_SUMS[:2], _SUMS[2:]):
        asm("ldm r6!, {r4, r5}", f"mov {first}, r4", f"mov {second}, r5")
    asm(f"str r6, {_SCALES}", f"ldr r4, {_INPUT}", "adds r4, r4, r7", "rsbs r7, r7, #0")
    asm.block("turn", f"{form.unroll} inputs")
    asm("3:")
    for _ in range(form.unroll):
        asm("ldrsb r5, [r4, r7]")
        for row, total in zip(("r0", "r1", "r2", "r3"), _SUMS, strict=True):
            asm(f"ldrsb r6, [{row}, r7]", "muls r6, r5, r6", f"add {total}, r6")
        asm("adds r7, r7, #1")
    asm("bne 3b")
    asm.block("outputs", "int8")
    if form.common:
        asm(f"ldr r6, {_LAYER}", f"adds r6, #{4 * HEADER_WORDS}")
        load_line(asm, form.line, "r6")
    for at, source in enumerate(_SUMS):
        if not form.common:
            asm(f"ldr r6, {_SCALES}")
            load_line(asm, form.line, "r6")
            asm(f"str r6, {_SCALES}")
        emit_line(asm, form.line, source)
        asm(f"ldr r1, {_OUTPUT}", f"ldr r6, {_START}", "adds r1, r1, r6", f"strb r0, [r1, #{at}]")
    asm.block("next group", "the last one may overlap the one before")
    asm(f"adds r6, #{OUTPUTS}", f"ldr r1, {_LAYER}", f"ldr r1, [r1, #{LAYER['outputs']}]", "cmp r6, r1", "bge 5f")
    asm(f"subs r1, #{OUTPUTS}", "cmp r6, r1", "ble 4f", "movs r6, r1", f"4: str r6, {_START}", "b 2b")
    asm.block("next batch", "r1 outputs")
    asm(f"5: ldr r0, {_LAYER}", f"ldr r0, [r0, #{LAYER['inputs']}]", f"ldr r2, {_INPUT}", "adds r2, r2, r0")
    asm(f"str r2, {_INPUT}", f"ldr r2, {_OUTPUT}", "adds r2, r2, r1", f"str r2, {_OUTPUT}")
    asm(f"ldr r2, {_BATCHES}", "subs r2, r2, #1", f"str r2, {_BATCHES}", "beq 6f", "b 1b")
    asm.block("end")
    asm(f"6: add sp, #{_FRAME_BYTES}")
    asm.restore()
    return asm


@functools.cache
def _function(form: Form) -> AsmFunction:
    comment = (
        "Four outputs at a time, for each row of inputs.\n\n"
        "layer  te_connected_layer; constants if all outputs have the same; for four outputs where sums\n"
        "       start, then their constants if not\n"
        "r0-r3 weights, r4 inputs, r5 input, r6 weight, r7 index, r8-r11 sums"
    )
    prototype = "void NAME(const uint32_t *layer, const int8_t *input, int8_t *output, const int8_t *weights)"
    return _assembly(form).shared("te_fully_connected", prototype, comment)


def _groups(p: FullyConnected) -> npt.NDArray[np.int64]:
    """Outputs by groups; the last group overlaps the one before when they do not come out even. Shape [groups, 4]."""
    starts = np.minimum(np.arange(0, p.outputs, OUTPUTS), p.outputs - OUTPUTS)
    return np.asarray(starts[:, None] + np.arange(OUTPUTS)[None, :], np.int64)


def pack_layer(p: FullyConnected) -> npt.NDArray[np.uint32]:
    """Header, and for each group the sums to start from; the line's constants once, or those of a group behind it."""
    scaling, groups = _found(p), _groups(p)
    words = np.stack(scaling.line.words, axis=1)
    parts = input_bias(p).astype(np.int64)[groups]
    header = np.array(LAYER.words(inputs=p.inputs, outputs=p.outputs, batches=p.batches), np.int64)
    if scaling.common:
        header = np.concatenate([header, words[0]])
    else:
        parts = np.concatenate([parts, words[groups].reshape(len(groups), -1)], axis=1)
    return (np.concatenate([header, parts.reshape(-1)]) & 0xFFFFFFFF).astype(np.uint32)


class FullyConnectedRows(Kernel):
    """int8 fully connected layers of four or more outputs, weights without a zero point."""

    name = "armv6m/fully_connected"
    operators: ClassVar[tuple[str, ...]] = ("fully_connected",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: FullyConnected = layer.params
        if reason := core_reason(core) or checks.int8_tensors(layer):
            return reason
        if p.weight_zero_point:
            return f"the weights have a zero point of {p.weight_zero_point}"
        if p.outputs < OUTPUTS:
            return f"{p.outputs} outputs are fewer than the {OUTPUTS} it computes at a time"
        return "" if find_scaling(p) is not None else "no constants of the short requantization are right for all sums"

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: FullyConnected = layer.params
        form = _form(p)
        asm = _assembly(form)
        group = asm.ticks("group") + p.inputs // form.unroll * asm.ticks("turn") + asm.ticks("outputs")
        groups = len(_groups(p)) * (group + asm.ticks("next group"))
        ticks = asm.ticks("start") + p.batches * (asm.ticks("batch") + groups + asm.ticks("next batch"))
        ticks += asm.ticks("end")
        shared = (_function(form).name, asm.code_bytes)
        constants = p.weights.size + 4 * pack_layer(p).size
        return Cost(ticks.cycles + CALL_CYCLES, CALL_BYTES, constants, (shared,), instructions=ticks.instructions)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return connected_in_place(layer.params)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: FullyConnected = layer.params
        function, prefix = _function(_form(p)), operands.prefix
        weights = weights_constant(prefix, p.weights, f"weights {p.outputs}x{p.inputs}: output, input")
        scales = Constant(f"{prefix}_layer", "uint32_t", pack_layer(p), 4, "sizes; sums at the start, constants")
        call = f"{function.name}({scales.name}, {operands.inputs[0]}, {operands.outputs[0]}, {weights.name});"
        return Code(call=(call,), constants=(weights, scales), assembler=(function,))


KERNELS: tuple[Kernel, ...] = (FullyConnectedRows(),)
