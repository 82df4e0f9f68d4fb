"""depthwise_conv_2d 3x3 for one row of outputs, as streams of rows ask for it: nothing is kept from row to row.

Four channels at a time, each column of the three rows becomes eight words, two a channel, side by side:

    upper  row 0 and row 1 of this column
    lower  row 2 of the column before and of this one

So a column is one LDRD for each channel, and serves the three outputs that see it:

    an output  upper . (w00, w10)  +  next upper . (w01, w11)  +  next lower . (w20, w21)
               +  upper after that . (w02, w12)  +  high half of the lower there * w22

That is 5 products for 9 taps; gathering takes 16 instructions a column for 12 values, where `depthwise_planes` would
widen three rows into planes that serve two rows of outputs. All four channels are gathered before the first output is
written, so the outputs may lie over row 0.

Registers: r2-r6 weights, r11 bias, r7-r10 sums of four neighbouring outputs, r12 and lr a column.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv7em import rounding
from tinyedge.kernels.armv7em.depthwise_constants import (
    FRACTION,
    can_fold,
    channel_bias,
    fits_planes,
    scaled_channel,
)
from tinyedge.kernels.armv7em.depthwise_planes import LANES, MOST_OFFSET
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, ExactOffset, Kernel, Operands
from tinyedge.kernels.thumb.assembly import Assembly, Ticks, clamp, load_constant, requantize
from tinyedge.ops.contract import Layer
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D

CALL_TICKS = 12
CALL_BYTES = 20
COLUMN_BYTES = 8 * LANES
"""of scratch"""
TURN = 4
"""columns that are gathered, or outputs that are computed, in a turn of a loop"""
MOST_UNROLLED = 8
"""columns, or outputs, that need no loop"""
PROTOTYPE = "void NAME(const uint32_t *layer, const int8_t *input, int8_t *output, uint8_t *scratch)"


@dataclass(frozen=True)
class RowForm:
    """What the code is made for; sizes in columns, `pad` of border on the left."""

    columns: int
    outputs: int
    stride: int
    pad: int
    channels: int
    folded: bool
    """requantize by SMMLA and SSAT alone"""
    rectified: bool
    """no value below the zero point survives the clamp (`assembly.requantize`)"""
    low: int
    high: int

    @property
    def seen(self) -> int:
        """Columns that windows see, with the border."""
        return (self.outputs - 1) * self.stride + 3

    @property
    def inside(self) -> int:
        """Columns of the input among them."""
        return min(self.columns, self.seen - self.pad)

    @property
    def right(self) -> int:
        """Columns of border on the right."""
        return self.seen - self.pad - self.inside

    @property
    def gather_turns(self) -> int:
        return self.inside // TURN if self.inside > MOST_UNROLLED else 0

    @property
    def output_turns(self) -> int:
        return self.outputs // TURN if self.outputs > MOST_UNROLLED else 0

    @property
    def constant_words(self) -> int:
        """Of a channel: weights, bias, scales."""
        return 6 + (2 if self.folded else 3)


def _emit(form: RowForm) -> Assembly:
    asm = Assembly({})
    _start(asm, form)
    _gather(asm, form)
    _channel(asm, form)
    asm.block("group", "next four channels")
    asm("vmov r0, r1, s8, s9", f"adds r0, r0, #{LANES}", f"adds r1, r1, #{LANES}", "vmov s8, s9, r0, r1")
    asm("vmov r2, s12", "cmp r0, r2", "bne.w 1b")
    asm.block("end")
    asm("pop {r4-r11, pc}")
    return asm


def _start(asm: Assembly, form: RowForm) -> None:
    """s4 constants; s8 input and s9 output of the next channels; s10 scratch, s11 border, s12-s15 where loops end."""
    asm.block("start")
    asm("push {r4-r11, lr}", "ldr r4, [r0], #4", "vmov s4, r0", "vmov s8, s9, r1, r2", "vmov s10, s11, r3, r4")
    load_constant(asm, "r5", form.channels)
    asm("add r5, r5, r1", f"add r6, r3, #{8 * LANES}", "vmov s12, s13, r5, r6")
    if form.gather_turns:
        load_constant(asm, "r5", COLUMN_BYTES * (form.pad + TURN * form.gather_turns))
        asm("add r5, r5, r3", "vmov s14, r5")
    if form.pad:
        asm("sxtb16 r4, r4", *(f"str r4, [r3, #{8 * lane}]" for lane in range(LANES)))


def _gather(asm: Assembly, form: RowForm) -> None:
    """r0-r2 the rows, r3 scratch; r12 and lr take turns as row 2 of this column and of the one before."""
    asm.block("group", "four channels: columns with upper and lower words")
    asm("1: vmov r0, s8")
    load_constant(asm, "r2", form.columns * form.channels)
    asm("add r1, r0, r2", "add r2, r1, r2", "vmov r3, s10", "vmov r12, s11")
    if form.pad:
        asm(f"add r3, r3, #{COLUMN_BYTES}")
    if form.gather_turns:
        asm.block("columns")
        asm("2:")
        for at in range(TURN):
            _column(asm, at, at * form.channels)
        asm(*(f"add r{row}, r{row}, #{TURN * form.channels}" for row in range(3)))
        asm("vmov r4, s14", "cmp r3, r4", "bne.w 2b")
        asm.block("group")
    rest = form.inside - TURN * form.gather_turns
    for at in range(rest):
        _column(asm, at, at * form.channels)
    for at in range(form.right):
        _column(asm, rest + at, None)


def _column(asm: Assembly, at: int, offset: int | None) -> None:
    """A column, `offset` bytes from where the rows are, or one of border."""
    before, this = ("r12", "lr") if at % 2 == 0 else ("lr", "r12")
    if offset is None:
        asm(f"vmov {this}, s11", f"sxtb16 r4, {this}", "mov r6, r4", "mov r8, r4", "mov r10, r4")
    else:
        asm(f"ldr r5, [r0, #{offset}]", f"ldr r7, [r1, #{offset}]", f"ldr {this}, [r2, #{offset}]")
        asm("pkhbt r8, r5, r7, lsl #16", "pkhtb r10, r7, r5, asr #16")
        asm("sxtb16 r4, r8", "sxtb16 r6, r8, ror #8", "sxtb16 r8, r10", "sxtb16 r10, r10, ror #8")
    asm(f"pkhbt r9, {before}, {this}, lsl #16", f"pkhtb r11, {this}, {before}, asr #16")
    asm("sxtb16 r5, r9", "sxtb16 r7, r9, ror #8", "sxtb16 r9, r11", "sxtb16 r11, r11, ror #8", "stm r3!, {r4-r11}")


def _channel(asm: Assembly, form: RowForm) -> None:
    asm("vmov r1, r0, s9, s10")
    asm.block("channel", "a channel: r0 its words, r1 its outputs")
    asm("3: vmov r12, s4", "ldm r12!, {r2-r6, r11}", f"vldm r12!, {{s0-s{1 if form.folded else 2}}}", "vmov s4, r12")
    turns, step = form.output_turns, form.stride * COLUMN_BYTES
    if turns:
        asm(f"add r12, r0, #{turns * TURN * step}", "vmov s15, r12")
    asm("ldr r12, [r0]", "smlad r7, r12, r2, r11")
    if form.stride == 1:
        asm(f"ldrd r12, lr, [r0, #{COLUMN_BYTES}]", "smlad r7, r12, r3, r7", "smlad r7, lr, r5, r7")
        if form.outputs > 1:
            asm("smlad r8, r12, r2, r11")
    if turns:
        asm.block("outputs")
        asm("4:")
        for at in range(TURN):
            _output(asm, form, at, form.outputs)
        asm(f"add r0, r0, #{TURN * step}", f"add r1, r1, #{TURN * form.channels}")
        asm("vmov r12, s15", "cmp r0, r12", "bne.w 4b")
        asm.block("channel")
    left = form.outputs - turns * TURN
    for at in range(left):
        _output(asm, form, at, left)
    _move(asm, "r0", 8 - turns * TURN * step)
    _move(asm, "r1", 1 - turns * TURN * form.channels)
    asm("vmov r12, s13", "cmp r0, r12", "bne.w 3b")


def _output(asm: Assembly, form: RowForm, at: int, left: int) -> None:
    """Finish an output, `at` of those from r1 on, of which there are `left`; those behind it get what they share."""

    def sums(number: int) -> str:
        return f"r{7 + number % TURN}"

    this, following = sums(at), sums(at + 1)
    column = (at * form.stride + 2) * COLUMN_BYTES
    if form.stride == 2:
        asm(f"ldrd r12, lr, [r0, #{column - COLUMN_BYTES}]")
        asm(f"smlad {this}, r12, r3, {this}", f"smlad {this}, lr, r5, {this}")
    asm(f"ldrd r12, lr, [r0, #{column}]", f"smlad {this}, r12, r4, {this}", f"smlatb {this}, lr, r6, {this}")
    if form.stride == 2 and at + 1 < left:
        asm(f"smlad {following}, r12, r2, r11")
    if form.stride == 1 and at + 1 < left:
        asm(f"smlad {following}, r12, r3, {following}", f"smlad {following}, lr, r5, {following}")
    if form.stride == 1 and at + 2 < left:
        asm(f"smlad {sums(at + 2)}, r12, r2, r11")
    if at % 2 or at + 1 == left:
        done = range(at - at % 2, at + 1)
        _requantize(asm, form, [sums(number) for number in done])
        asm(*(f"strb {sums(number)}, [r1, #{number * form.channels}]" for number in done))


def _requantize(asm: Assembly, form: RowForm, sums: list[str]) -> None:
    if form.folded:
        asm("vmov r12, lr, s0, s1")
        asm(*(f"smmla {a}, {a}, r12, lr" for a in sums), *(f"ssat {a}, #8, {a}, asr #{FRACTION}" for a in sums))
    else:
        _requantize_by_three(asm, form, sums)
    clamp(asm, sums, form.low, form.high)


def _requantize_by_three(asm: Assembly, form: RowForm, sums: list[str]) -> None:
    """By constants in s0-s2; the third register is that of the bias, which comes back."""
    asm("vmov s3, r11", "vmov r12, lr, s0, s1", "vmov r11, s2")
    requantize(asm, sums, "r12", "lr", "r11", rectified=form.rectified)
    asm("vmov r11, s3")


def _move(asm: Assembly, register: str, distance: int) -> None:
    """Add to a register; takes r12 where the distance is long."""
    name = "add" if distance >= 0 else "sub"
    if abs(distance) <= MOST_OFFSET:
        asm(f"{name} {register}, {register}, #{abs(distance)}")
        return
    load_constant(asm, "r12", abs(distance))
    asm(f"{name} {register}, {register}, r12")


# -- offline ---------------------------------------------------------------------------------------------------------


def form_of(p: DepthwiseConv2D) -> RowForm:
    """The code that a layer needs."""
    w, folded = p.window, can_fold(p)
    rectified = p.activation_min >= p.output_zero_point
    return RowForm(
        columns=w.input_w,
        outputs=w.output_w,
        stride=w.stride_w,
        pad=w.pad_left,
        channels=p.output_channels,
        folded=folded,
        rectified=rectified and not folded,
        low=p.activation_min,
        high=p.activation_max,
    )


def pack(p: DepthwiseConv2D) -> npt.NDArray[np.uint32]:
    """The border, then of each channel: weights of the upper words, of the lower ones, bias, scales."""
    folded, bias = can_fold(p), channel_bias(p)
    stream: list[int] = [(p.input_zero_point & 0xFF) * 0x01010101]
    for channel in range(p.output_channels):
        taps = p.weights[:, :, channel].astype(np.int64)
        taps, start, scales = scaled_channel(p, channel, taps, int(bias[channel]), folded=folded)
        low = np.array([*taps[0], taps[2, 0], taps[2, 2]])
        high = np.array([*taps[1], taps[2, 1], 0])
        stream += [*(int(word) for word in rounding.halfwords(low, high)), start, *scales]
    return rounding.words(stream)


@cache
def _assembly(form: RowForm) -> Assembly:
    return _emit(form)


@cache
def _function(form: RowForm) -> AsmFunction:
    comment = (
        f"Depthwise convolution 3x3 of three rows of {form.columns} columns, {form.channels} channels: a row of\n"
        f"{form.outputs} outputs, stride {form.stride}.\n\n"
        "layer    the border in four bytes, then of each channel weights, bias and scales\n"
        "output   may lie over the input, at the same address\n"
        f"scratch  {COLUMN_BYTES * form.seen} bytes\n"
        "r2-r6 weights, r7-r10 sums, r11 bias, r12 lr a column."
    )
    return _assembly(form).shared("te_depthwise_row", PROTOTYPE, comment)


class Depthwise3x3Row(Kernel):
    """int8 depthwise 3x3 with stride 1 or 2, three rows to one, in place; code for one number of channels."""

    name = "armv7em/depthwise_3x3_row"
    operators: ClassVar[tuple[str, ...]] = ("depthwise_conv_2d",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: DepthwiseConv2D = layer.params
        w = p.window
        if reason := rounding.runs_on(layer, core) or fits_planes(layer, core, transposed=False):
            return reason
        if (w.kernel_h, w.kernel_w) != (3, 3):
            return f"the filter is {w.kernel_h}x{w.kernel_w}, the kernel computes 3x3"
        if w.output_h != 1 or w.pad_top or w.input_h < 3:
            return f"{w.output_h} rows of outputs are asked for, the kernel computes one, of three rows of input"
        if w.stride_w > 2:
            return f"the stride along a row is {w.stride_w}, the kernel has 1 and 2"
        return self._reach(p) or rounding.shifts_right(p.multiplier, p.shift)

    def _reach(self, p: DepthwiseConv2D) -> str:
        """Whether borders and offsets are such as the code can have."""
        form = form_of(p)
        if p.window.pad_left > 1 or form.right > 1 or form.inside < 1:
            return "more than one column of border lies on a side"
        if p.output_channels % LANES:
            return f"{p.output_channels} channels are no multiple of {LANES}"
        if (MOST_UNROLLED - 1) * p.output_channels > MOST_OFFSET:
            return f"pixels of {p.output_channels} channels are too far from each other for fixed offsets"
        if COLUMN_BYTES * form.seen > MOST_OFFSET:
            return f"a row of {form.columns} columns is too long"
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: DepthwiseConv2D = layer.params
        form = form_of(p)
        asm = _assembly(form)
        shared = (_function(form).name, asm.code_bytes)
        constants = 4 * (1 + p.output_channels * form.constant_words)
        ticks = row_ticks(asm, form)
        return Cost(ticks.cycles + CALL_TICKS, CALL_BYTES, constants, (shared,), instructions=ticks.instructions)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return COLUMN_BYTES * form_of(layer.params).seen

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """A channel's outputs may lie on that channel's inputs, but not on another's."""
        return ExactOffset(0)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: DepthwiseConv2D = layer.params
        function = _function(form_of(p))
        name = f"{operands.prefix}_weights"
        comment = f"border, weights 3x3x{p.output_channels} in pairs, with biases and scales"
        call = f"{function.name}({name}, {operands.inputs[0]}, {operands.outputs[0]}, {operands.scratch});"
        return Code(call=(call,), constants=(Constant(name, "uint32_t", pack(p), 4, comment),), assembler=(function,))


def row_ticks(asm: Assembly, form: RowForm) -> Ticks:
    """What a row takes."""
    group, channel = asm.ticks("group"), asm.ticks("channel")
    if form.gather_turns:
        group += form.gather_turns * asm.ticks("columns")
    if form.output_turns:
        channel += form.output_turns * asm.ticks("outputs")
    return asm.ticks("start") + asm.ticks("end") + form.channels // LANES * group + form.channels * channel


KERNELS: tuple[Kernel, ...] = (Depthwise3x3Row(),)
