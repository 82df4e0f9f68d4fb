"""depthwise_conv_2d with filters of up to 3x3, a channel at a time through a plane with its border.

A channel is copied to a plane of bytes x + 128; its outputs may then lie over its inputs. Outputs of a row are
computed in bands without a loop: each column of the plane is loaded once and goes into the up to three outputs that
see it, whose sums rotate through three registers. Four weights stay in registers, the others are on the stack.
(Two pixels a word do not pay here: nine weights add up to more than 255, so every output would be taken apart twice.)
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv6m.asm import Assembly, core_reason, emit_clamp
from tinyedge.kernels.armv6m.requantize import Line, LineForm, Scale, find_line
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.numbers import by_numbers
from tinyedge.kernels.common.sums import Sums
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, ExactOffset, Kernel, Operands, word_offsets
from tinyedge.ops.contract import Layer
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D

Int64Array = npt.NDArray[np.int64]

MOST_OUTPUTS = 11
"""of a band, so that branches reach over the whole function"""
MOST_STRIDE = 4
USUAL_SHARES = (6, 5, 4, 3)
MOST_TAPS_OF_AXIS = 3
CALL_CYCLES = 20
CALL_BYTES = 20
LAYER = word_offsets(
    "te_depthwise_layer",
    {
        "channels": "",
        "turns": "of copying a row",
        "height": "rows of the input",
        "skip": "bytes of the plane from behind a row of the input to the next",
        "inside": "bytes of the plane in front of the first row",
        "pitch": "bytes of a row of the plane",
        "row_step": "from a row of windows to the next",
        "out_rows": "",
        "out_bands": "of a row",
        "plane_words": "",
        "border": "what the plane is filled with",
    },
)
HEADER_WORDS = len(LAYER.members)
_HELD = ("r8", "r9", "r10", "r11")
_SUMS = ("r0", "r1", "r2")
# Words on the stack: arguments and counters; what `Form.words` lists; the weights that are not held.
_LAYER, _INPUT, _OUTPUT, _PLANE, _CHANNEL, _LEFT, _ROW, _ROWS, _BANDS, _SCRATCH, _LINE = range(11)
_MOST_WORDS = 6
_WEIGHTS = _LINE + _MOST_WORDS
_FRAME = _WEIGHTS + 9 - len(_HELD)


@dataclass(frozen=True)
class Form:
    """What the code depends on. `copied`: bytes of a row in one turn of copying; `outputs`: of a band."""

    line: LineForm
    kernel_h: int
    kernel_w: int
    stride: int
    outputs: int
    copied: int

    @property
    def taps(self) -> int:
        return self.kernel_h * self.kernel_w

    @property
    def words(self) -> tuple[str, ...]:
        """Constants of a channel in front of its weights."""
        third = ("third",) if self.line.digits == 3 else ()
        return ("first", "second", *third, "offset", *(("bend", "bias") if self.line.bent else ()))

    @property
    def columns(self) -> int:
        return (self.outputs - 1) * self.stride + self.kernel_w


@dataclass(frozen=True)
class Plane:
    """pitch, rows  of a channel with its border, in bytes."""

    pitch: int
    rows: int

    @property
    def words(self) -> int:
        return -(-self.pitch * self.rows // 4)


def find_plane(p: DepthwiseConv2D) -> Plane:
    w = p.window
    return Plane(
        pitch=max(w.pad_left + w.input_w, (w.output_w - 1) * w.stride_w + w.kernel_w),
        rows=max(w.pad_top + w.input_h, (w.output_h - 1) * w.stride_h + w.kernel_h),
    )


def _share(width: int) -> int:
    """How much of a row is written out: a number that layers of other widths are likely to have, too."""
    usual = next((d for d in USUAL_SHARES if width % d == 0), 1)
    return usual if usual > 1 else next(d for d in range(MOST_OUTPUTS, 0, -1) if width % d == 0)


@by_numbers
def _offsets(p: DepthwiseConv2D) -> Int64Array:
    """What a sum of weights * (x + 128) lacks: the bias, and the zero point's part."""
    sums = p.weights.astype(np.int64).sum(axis=(0, 1))
    return np.asarray(p.bias.astype(np.int64) - (p.input_zero_point + 128) * sums, np.int64)


@by_numbers
def layer_line(p: DepthwiseConv2D) -> Line | None:
    """How the layer's sums become int8, if that is possible. Bent ones are of sums with everything in them."""
    scale = Scale(p.multiplier, p.shift, p.output_zero_point, p.activation_min, p.activation_max)
    flat = p.weights.astype(np.int64).reshape(-1, p.output_channels)
    low, high = 255 * np.minimum(flat, 0).sum(axis=0), 255 * np.maximum(flat, 0).sum(axis=0)
    if scale.rectified:
        return find_line(scale, Sums(low, high), _offsets(p))
    return find_line(scale, Sums(low + _offsets(p), high + _offsets(p)))


def find_form(p: DepthwiseConv2D) -> Form:
    line, w = layer_line(p), p.window
    assert line is not None
    return Form(line.form, w.kernel_h, w.kernel_w, w.stride_w, _share(w.output_w), _share(w.input_w))


def _slot(word: int) -> str:
    return f"[sp, #{4 * word}]"


class _Emitter:
    """Writes the function of one form."""

    def __init__(self, form: Form) -> None:
        self.form, self.asm = form, Assembly(LAYER)

    def header(self, register: str, word: str) -> None:
        self.asm(f"ldr {register}, {_slot(_LAYER)}", f"ldr {register}, [{register}, #{LAYER[word]}]")

    def emit(self) -> Assembly:
        asm = self.asm
        asm.save()
        asm(f"sub sp, #{4 * _FRAME}", *(f"str r{n}, {_slot(word)}" for n, word in enumerate((_LAYER, _INPUT, _OUTPUT))))
        asm(f"str r3, {_slot(_PLANE)}", f"ldr r2, [r0, #{LAYER['plane_words']}]", f"ldr r4, [r0, #{LAYER['border']}]")
        asm(f"ldr r5, [r0, #{LAYER['channels']}]", f"str r5, {_slot(_LEFT)}", "mov r12, r5")
        asm(f"adds r0, #{4 * HEADER_WORDS}", f"str r0, {_slot(_CHANNEL)}")
        asm.block("border")
        asm("1: stm r3!, {r4}", "subs r2, r2, #1", "bne 1b")
        self._copy()
        self._load()
        self._rows()
        asm.block("next channel")
        for word in (_INPUT, _OUTPUT):
            asm(f"ldr r3, {_slot(word)}", "adds r3, r3, #1", f"str r3, {_slot(word)}")
        asm(f"ldr r3, {_slot(_LEFT)}", "subs r3, r3, #1", f"str r3, {_slot(_LEFT)}", "beq 6f", "b 2b")
        asm.block("end")
        asm(f"6: add sp, #{4 * _FRAME}")
        asm.restore()
        return asm

    def _copy(self) -> None:
        """The channel's bytes, 128 more, into the inside of the plane."""
        asm, copied = self.asm, self.form.copied
        asm.block("copy", "a channel to the plane: r0 from, r1 to, r2 rows, r6 channels")
        asm(f"2: ldr r0, {_slot(_INPUT)}")
        self.header("r1", "inside")
        asm(f"ldr r3, {_slot(_PLANE)}", "adds r1, r1, r3", "mov r6, r12", "movs r7, #128")
        self.header("r2", "height")
        asm.block("copy row")
        asm("1:")
        self.header("r4", "turns")
        asm.block("copy turn")
        asm("3:")
        for at in range(copied):
            asm("ldrb r3, [r0]", "adds r0, r0, r6", "eors r3, r3, r7", f"strb r3, [r1, #{at}]")
        asm(f"adds r1, #{copied}", "subs r4, r4, #1", "bne 3b")
        asm.block("copied row")
        self.header("r4", "skip")
        asm("adds r1, r1, r4", "subs r2, r2, #1", "bne 1b")

    def _load(self) -> None:
        """Constants of the channel to stack and registers."""
        asm, form = self.asm, self.form
        asm.block("load", "constants of the channel, then its weights")
        listed = f"{{r1-r{len(form.words)}}}"
        asm(f"ldr r0, {_slot(_CHANNEL)}", f"ldm r0!, {listed}", f"add r7, sp, #{4 * _LINE}", f"stm r7!, {listed}")
        for tap in range(form.taps):
            asm(f"movs r2, #{tap}", "ldrsb r1, [r0, r2]")
            asm(f"mov {_HELD[tap]}, r1" if tap < len(_HELD) else f"str r1, {_slot(_WEIGHTS + tap - len(_HELD))}")
        asm(f"adds r0, #{_weights_bytes(form)}", f"str r0, {_slot(_CHANNEL)}")

    def _rows(self) -> None:
        asm, form = self.asm, self.form
        asm.block("rows", "r5 the first row of windows, r6 and r7 bytes to the others, lr output")
        asm(f"ldr r0, {_slot(_OUTPUT)}", "mov lr, r0", f"ldr r5, {_slot(_PLANE)}", f"str r5, {_slot(_ROW)}")
        self.header("r6", "pitch")
        asm("lsls r7, r6, #1")
        self.header("r3", "out_rows")
        asm(f"str r3, {_slot(_ROWS)}")
        asm.block("row")
        asm("4:")
        self.header("r3", "out_bands")
        asm(f"str r3, {_slot(_BANDS)}")
        asm.block("band", f"{form.outputs} outputs")
        asm("5:")
        for column in range(form.columns):
            if column:
                asm("adds r5, r5, #1")
            self._column(column)
        step = form.stride - form.kernel_w + 1
        if step:
            asm(f"{'adds' if step > 0 else 'subs'} r5, #{abs(step)}")
        asm(f"ldr r3, {_slot(_BANDS)}", "subs r3, r3, #1", f"str r3, {_slot(_BANDS)}", "beq 1f", "b 5b")
        asm.block("row end")
        asm(f"1: ldr r5, {_slot(_ROW)}")
        self.header("r3", "row_step")
        asm("adds r5, r5, r3", f"str r5, {_slot(_ROW)}")
        asm(f"ldr r3, {_slot(_ROWS)}", "subs r3, r3, #1", f"str r3, {_slot(_ROWS)}", "beq 1f", "b 4b", "1:")

    def _column(self, column: int) -> None:
        """Load a column and add it to the outputs that see it; the one that sees no other behind it is done."""
        form = self.form
        seen = [n for n in range(form.outputs) if 0 <= column - n * form.stride < form.kernel_w]
        for row in range(form.kernel_h if seen else 0):
            self.asm(("ldrb r4, [r5]", "ldrb r4, [r5, r6]", "ldrb r4, [r5, r7]")[row])
            for output in seen:
                at = column - output * form.stride
                self._product(row * form.kernel_w + at, _SUMS[output % len(_SUMS)], first=row == 0 and at == 0)
        for output in seen:
            if column - output * form.stride == form.kernel_w - 1:
                self._finish(_SUMS[output % len(_SUMS)])

    def _product(self, tap: int, total: str, *, first: bool) -> None:
        target = total if first else "r3"
        if tap < len(_HELD):
            self.asm(f"mov {target}, {_HELD[tap]}")
        else:
            self.asm(f"ldr {target}, {_slot(_WEIGHTS + tap - len(_HELD))}")
        self.asm(f"muls {target}, r4, {target}")
        if not first:
            self.asm(f"adds {total}, {total}, r3")

    def _finish(self, total: str) -> None:
        """The sum to int8 and to memory."""
        asm, line = self.asm, self.form.line
        slots = {name: _slot(_LINE + n) for n, name in enumerate(self.form.words)}
        last = slots["offset"]
        if line.bent:
            last = _slot(_SCRATCH)
            asm(f"ldr r3, {slots['bias']}", f"adds {total}, {total}, r3", f"asrs r3, {total}, #31")
            asm(f"ldr r4, {slots['bend']}", "ands r3, r3, r4", f"ldr r4, {slots['offset']}", "adds r3, r3, r4")
            asm(f"str r3, {last}")
        lowest = "third" if line.digits == 3 else "second"
        asm(f"ldr r3, {slots[lowest]}", f"muls r3, {total}, r3", f"asrs r3, r3, #{line.digit_bits}")
        if line.digits == 3:
            asm(f"ldr r4, {slots['second']}", f"muls r4, {total}, r4", "adds r3, r3, r4")
            asm(f"asrs r3, r3, #{line.digit_bits}")
        asm(f"ldr r4, {slots['first']}", f"muls {total}, r4, {total}", f"adds {total}, {total}, r3")
        asm(f"ldr r4, {last}", f"adds {total}, {total}, r4", f"asrs {total}, {total}, #{line.fraction}")
        emit_clamp(asm, line.low, line.high, total, "r3")
        asm("mov r3, lr", f"strb {total}, [r3]", "add lr, r12")


def _weights_bytes(form: Form) -> int:
    """Bytes of a channel's weights, whole words."""
    return -(-form.taps // 4) * 4


@functools.cache
def code_assembly(form: Form) -> Assembly:
    """The function of a form."""
    return _Emitter(form).emit()


@functools.cache
def _function(form: Form) -> AsmFunction:
    comment = (
        f"Depthwise {form.kernel_h}x{form.kernel_w}, {form.outputs} outputs at a time; sizes come with the layer.\n\n"
        "layer  te_depthwise_layer, then for each channel its constants and weights\n"
        "r0-r2 sums, r3 product, r4 pixel, r5-r7 rows, r8-r11 weights, r12 channels, lr output"
    )
    prototype = "void NAME(const uint32_t *layer, const int8_t *input, int8_t *output, uint8_t *scratch)"
    return code_assembly(form).shared("te_depthwise", prototype, comment)


def pack_layer(p: DepthwiseConv2D) -> npt.NDArray[np.uint32]:
    """The header, and per channel constants and weights."""
    w, form, plane, line = p.window, find_form(p), find_plane(p), layer_line(p)
    assert line is not None
    header = LAYER.words(
        channels=p.output_channels,
        turns=w.input_w // form.copied,
        height=w.input_h,
        skip=plane.pitch - w.input_w,
        inside=w.pad_top * plane.pitch + w.pad_left,
        pitch=plane.pitch,
        row_step=w.stride_h * plane.pitch,
        out_rows=w.output_h,
        out_bands=w.output_w // form.outputs,
        plane_words=plane.words,
        border=(p.input_zero_point + 128) * 0x01010101,
    )
    bent = [line.bend, _offsets(p)] if form.line.bent else []
    words = np.stack([*line.digits, line.offset, *bent], axis=1) & 0xFFFFFFFF
    weights = np.zeros((p.output_channels, _weights_bytes(form)), np.int8)
    weights[:, : form.taps] = p.weights.reshape(form.taps, -1).T
    channels = np.concatenate([words.astype(np.uint32), weights.view(np.uint32)], axis=1)
    return np.concatenate([np.array(header, np.uint32), channels.reshape(-1)])


def _shape_reason(layer: Layer) -> str:
    p: DepthwiseConv2D = layer.params
    w = p.window
    if p.depth_multiplier != 1:
        return f"the depth multiplier is {p.depth_multiplier}, the kernel takes 1"
    if max(w.kernel_h, w.kernel_w) > MOST_TAPS_OF_AXIS:
        return f"the filter is {w.kernel_h}x{w.kernel_w}, the kernel takes up to 3x3"
    if max(w.dilation_h, w.dilation_w) > 1:
        return f"the filter is dilated by {w.dilation_h}x{w.dilation_w}"
    if w.stride_w > MOST_STRIDE:
        return f"windows lie {w.stride_w} columns apart, the kernel goes up to {MOST_STRIDE}"
    if w.output_h * w.output_w > w.input_h * w.input_w:
        return "the output does not fit over the input"
    return checks.one_image(layer, w.input_h * w.input_w * p.input_channels) or checks.window_sizes(w)


class Depthwise(Kernel):
    """int8 depthwise convolutions with filters of up to 3x3, in place."""

    name = "armv6m/depthwise"
    operators: ClassVar[tuple[str, ...]] = ("depthwise_conv_2d",)

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := core_reason(core) or checks.int8_tensors(layer) or _shape_reason(layer):
            return reason
        line = layer_line(layer.params)
        return "" if line is not None else "no constants of the short requantization are right for all sums"

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: DepthwiseConv2D = layer.params
        w, form = p.window, find_form(p)
        asm, plane = code_assembly(form), find_plane(p)
        copied_row = asm.ticks("copy row") + asm.ticks("copied row")
        copied = asm.ticks("copy") + w.input_h * (copied_row + w.input_w // form.copied * asm.ticks("copy turn"))
        row = asm.ticks("row") + w.output_w // form.outputs * asm.ticks("band") + asm.ticks("row end")
        channel = copied + asm.ticks("load") + asm.ticks("rows") + w.output_h * row + asm.ticks("next channel")
        ticks = asm.ticks("start") + plane.words * asm.ticks("border") + p.output_channels * channel + asm.ticks("end")
        shared = (_function(form).name, asm.code_bytes)
        constants = 4 * pack_layer(p).size
        return Cost(ticks.cycles + CALL_CYCLES, CALL_BYTES, constants, (shared,), instructions=ticks.instructions)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return 4 * find_plane(layer.params).words

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """A channel is in the plane before its outputs are written over it."""
        return ExactOffset(0)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: DepthwiseConv2D = layer.params
        function = _function(find_form(p))
        constant = Constant(f"{operands.prefix}_layer", "uint32_t", pack_layer(p), 4, "sizes; constants and weights")
        call = f"{function.name}({constant.name}, {operands.inputs[0]}, {operands.outputs[0]}, {operands.scratch});"
        return Code(call=(call,), constants=(constant,), assembler=(function,))


KERNELS: tuple[Kernel, ...] = (Depthwise(),)
