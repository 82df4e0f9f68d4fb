"""depthwise_conv_2d 3x3 with stride 1 or 2: blocks of two rows by two columns of outputs from planes of pairs.

All weights of a channel are in registers while its plane is gone through, its scales and bias in those of the FPU.
Along a row of the kernel a word holds two taps, so three taps are one SMLAD and one SMLAxy. With stride 1 the two
outputs of a row share their two words:

    left   (w0, w1) . word  +  w2 * low half of the next word
    right  w0 * high half of word  +  (w1, w2) . next word

With stride 2 each output begins on a word of its own, and needs the low half of the next one.
Where a ReLU is fused, requantization takes two instructions and the store: see `depthwise_constants`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    header,
    pairs_3x3,
    scaled_channel,
)
from tinyedge.kernels.armv7em.depthwise_planes import (
    HEADER_WORDS,
    LONGEST_TURN,
    MOST_OFFSET,
    MOST_PLANE_BYTES,
    Axes,
    Computation,
    Planes,
    emit_planes,
    in_place_is_safe,
    planes_of,
    planes_ticks,
    slot,
)
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, ExactOffset, Kernel, Operands
from tinyedge.kernels.thumb.assembly import Assembly, Ticks, clamp, round_sums, scale_sums
from tinyedge.ops.contract import Layer
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D

Int64Array = npt.NDArray[np.int64]

CALL_TICKS = 12
CALL_BYTES = 20
BAND_OUTPUTS, LONG_BAND_OUTPUTS = 48, 96
"""outputs of a channel that a band has at least, lest the work per band and channel weighs; and for code that is made
for one number of channels, where time counts more than scratch"""
MOST_UNROLLED = 3
MOST_ROW_BYTES = 248
"""so that LDRD reaches the fifth row of a plane"""

PROTOTYPE = "void NAME(const uint32_t *layer, const int8_t *input, int8_t *output, uint8_t *scratch)"


@dataclass(frozen=True)
class Style:
    """What differs in the code besides geometry.

    folded     requantize by SMMLA and SSAT alone
    rectified  no value below the zero point survives the clamp (`asm.requantize`)
    odd        a band may have an odd number of rows
    """

    folded: bool
    rectified: bool
    low: int
    high: int
    odd: bool


class Blocks(Computation):
    """Blocks of 2x2 outputs, of 2x1 and 1x2 at the ends."""

    def __init__(self, planes: Planes, style: Style) -> None:
        self.planes, self.style = planes, style
        self.weights = 6 if planes.stride == 1 else 5
        """words of weights of a channel, in r2 and up"""
        self.step = 4 * planes.stride
        """bytes from a block to the next"""
        self.blocks, self.single = divmod(planes.outputs, 2)
        self.unrolled = self.blocks
        if self.blocks > MOST_UNROLLED:
            sizes = (4, 3, 2) if planes.steps else (2,)
            self.unrolled = next((size for size in sizes if self.blocks % size == 0), 1)

    def emit_start(self, asm: Assembly) -> None:
        asm("vmov s5, s6, r4, r5")

    def emit_load(self, asm: Assembly) -> None:
        asm(f"ldm r12!, {{r2-r{1 + self.weights}}}", f"vldm r12!, {{s0-s{2 if self.style.folded else 3}}}")

    def emit_rows(self, asm: Assembly) -> None:
        asm(f"str r1, {slot('strip_out')}", f"ldr r12, {slot('band_rows')}", "lsrs r12, r12, #1")
        asm(f"str r12, {slot('strips')}")
        if self.style.odd:
            asm("beq 50f")
        asm.block("two rows", "two rows of outputs")
        asm("40:")
        self._strip(asm, 2)
        asm(f"ldr r12, {slot('strips')}", "subs r12, r12, #1", f"str r12, {slot('strips')}", "bne.w 40b")
        if self.style.odd:
            asm.block("last row", "the last row, if their number is odd")
            asm(f"50: ldr r12, {slot('band_rows')}", "tst r12, #1", "beq.w 60f")
            self._strip(asm, 1)
            asm("60:")

    def _strip(self, asm: Assembly, rows: int) -> None:
        """One or two rows of outputs; r0 and `strip_out` end at those below."""
        steps = self.planes.steps
        block = "two rows" if rows == 2 else "last row"
        done = 0
        if self.blocks > self.unrolled:
            done = self.blocks * self.step
            asm(f"add r12, r0, #{done}", "vmov s4, r12")
        asm.block(f"{rows}x2", f"{rows}x2 outputs")
        label = asm.label()
        if done:
            asm(f"{label}:")
        for at in range(self.unrolled):
            self._block(asm, rows, 2, at)
        if done:
            if steps:
                asm(f"add r1, r1, #{2 * self.unrolled * steps[1]}")
            asm("vmov r12, s4", f"add r0, r0, #{self.unrolled * self.step}", "cmp r0, r12", f"bne.w {label}b")
        asm.block(f"{rows}x1", f"{rows}x1 outputs" if self.single else "")
        if self.single:
            self._block(asm, rows, 1, 0 if done else self.blocks)
        asm.block(block)
        advance = rows * self.planes.row_stride * self.planes.row_bytes - done
        asm(f"{'add' if advance >= 0 else 'sub'} r0, r0, #{abs(advance)}", f"ldr r1, {slot('strip_out')}")
        if steps:
            asm(f"add r1, r1, #{rows * steps[2]}", f"str r1, {slot('strip_out')}")
        else:
            asm("vmov r12, s6", "add r1, r1, r12, lsl #1" if rows == 2 else "add r1, r1, r12")
            asm(f"str r1, {slot('strip_out')}")

    def _block(self, asm: Assembly, rows: int, columns: int, number: int) -> None:
        """Some outputs, left and right of a row in r8, r9 and r10, r11; `number`: blocks since r0 was moved."""
        planes = self.planes
        offset = number * self.step
        asm("vmov r11, s2" if self.style.folded else "vmov r11, s3")
        for row in range((rows - 1) * planes.row_stride + planes.kernel_h):
            at = row * planes.row_bytes + offset
            asm(f"ldrd r12, lr, [r0, #{at}]")
            if planes.stride == 2 and columns == 2:
                asm(f"ldr r7, [r0, #{at + 8}]")
            for output in range(rows):
                tap = row - output * planes.row_stride
                if 0 <= tap < planes.kernel_h:
                    self._taps(asm, tap, columns, f"r{8 + 2 * output}", f"r{9 + 2 * output}")
        used = [f"r{8 + 2 * row + column}" for row in range(rows) for column in range(columns)]
        self._requantize(asm, used)
        if planes.steps:
            _, column, row = planes.steps
            at = 2 * number * column
            places = [at + down * row + right * column for down in range(rows) for right in range(columns)]
            asm(*(f"strb {sums}, [r1, #{place}]" for sums, place in zip(used, places, strict=True)))
        else:
            self._store(asm, rows, columns)

    def _taps(self, asm: Assembly, tap: int, columns: int, left: str, right: str) -> None:
        """One row of the kernel; the first starts from the bias in r11, which the last output takes over."""
        start = "r11" if tap == 0 else left
        first = "r11" if tap == 0 else right
        if self.planes.stride == 1:
            pair, next_pair = f"r{2 + 2 * tap}", f"r{3 + 2 * tap}"
            asm(f"smlad {left}, r12, {pair}, {start}")
            if columns == 2:
                asm(f"smlatb {right}, r12, {pair}, {first}", f"smlad {right}, lr, {next_pair}, {right}")
            asm(f"smlabt {left}, lr, {next_pair}, {left}")
            return
        pair, third = f"r{2 + tap}", ("r5", "r5", "r6")[tap]
        half = "smlabt" if tap == 1 else "smlabb"
        asm(f"smlad {left}, r12, {pair}, {start}", f"{half} {left}, lr, {third}, {left}")
        if columns == 2:
            asm(f"smlad {right}, lr, {pair}, {first}", f"{half} {right}, r7, {third}, {right}")

    def _requantize(self, asm: Assembly, sums: list[str]) -> None:
        if self.style.folded:
            asm("vmov r12, lr, s0, s1")
            asm(*(f"smmla {a}, {a}, r12, lr" for a in sums))
            asm(*(f"ssat {a}, #8, {a}, asr #{FRACTION}" for a in sums))
        else:
            asm("vmov r12, s0")
            scale_sums(asm, sums, "r12", rectified=self.style.rectified)
            asm("vmov r12, lr, s1, s2")
            round_sums(asm, sums, "r12", "lr")
        clamp(asm, sums, self.style.low, self.style.high)

    def _store(self, asm: Assembly, rows: int, columns: int) -> None:
        asm("vmov r12, lr, s5, s6", "strb r8, [r1]")
        if rows == 2:
            asm("strb r10, [r1, lr]")
        if columns == 1:
            return
        asm("strb r9, [r1, r12]")
        if rows == 2:
            asm("add lr, lr, r12", "strb r11, [r1, lr]")
        asm("add r1, r1, r12, lsl #1")

    def ticks(self, asm: Assembly, rows: int) -> Ticks:
        passes = self.blocks // self.unrolled if self.unrolled else 1

        def strip(block: str, height: int) -> Ticks:
            total = asm.ticks(block) + passes * asm.ticks(f"{height}x2") if self.blocks else asm.ticks(block)
            return total + asm.ticks(f"{height}x1") if self.single else total

        ends = strip("last row", 1) if rows % 2 else Ticks()
        return rows // 2 * strip("two rows", 2) + ends


# -- offline ---------------------------------------------------------------------------------------------------------


def style_of(p: DepthwiseConv2D, planes: Planes, axes: Axes) -> Style:
    """The code a layer needs."""
    odd = bool(planes.band % 2 or axes.output_rows % 2)
    rectified = p.activation_min >= p.output_zero_point
    folded = can_fold(p)
    return Style(folded, rectified and not folded, p.activation_min, p.activation_max, odd)


def pack(p: DepthwiseConv2D, planes: Planes, axes: Axes, *, transposed: bool) -> npt.NDArray[np.uint32]:
    """Header and constants of a layer; each channel's: weights in pairs, scales, bias."""
    weights = p.weights.astype(np.int64)
    if transposed:
        weights = weights.transpose(1, 0, 2)
    bias = channel_bias(p)
    folded = can_fold(p)
    stream: list[int] = header(p, axes)
    for channel in range(p.output_channels):
        taps, start, scales = scaled_channel(p, channel, weights[:, :, channel], int(bias[channel]), folded=folded)
        stream += [*pairs_3x3(taps, planes.stride), *scales, start]
    return rounding.words(stream)


@cache
def _assembly(planes: Planes, style: Style) -> Assembly:
    return emit_planes(planes, Blocks(planes, style))


@cache
def _function(planes: Planes, style: Style) -> AsmFunction:
    comment = (
        f"Depthwise convolution 3x3, stride {planes.stride} along {planes.columns} columns of input with "
        f"{planes.pad} of border; {planes.row_stride} along rows.\n\n"
        "layer    te_planes_layer, then for each channel its constants\n"
        f"output   may lie over the input, at the same address\nscratch  {planes.scratch_bytes} bytes\n"
        f"Blocks of 2x2 outputs: r2-r{7 if planes.stride == 1 else 6} weights, r8-r11 sums, r12, lr inputs."
    )
    return _assembly(planes, style).shared("te_depthwise_3x3", PROTOTYPE, comment)


class Depthwise3x3(Kernel):
    """int8 depthwise 3x3 with stride 1 or 2, in place; pairs of int16 in scratch.

    transposed  go through the image by columns: for images higher than wide
    fixed       code for one number of channels: faster, but no other layer shares it
    """

    operators: ClassVar[tuple[str, ...]] = ("depthwise_conv_2d",)

    def __init__(self, *, transposed: bool, fixed: bool) -> None:
        self.transposed, self.fixed = transposed, fixed
        variant = ("_transposed" if transposed else "") + ("_fixed" if fixed else "")
        self.name = "armv7em/depthwise_3x3" + variant  # type: ignore[misc]

    def _planes(self, p: DepthwiseConv2D) -> tuple[Planes, Axes]:
        outputs = LONG_BAND_OUTPUTS if self.fixed else BAND_OUTPUTS
        planes, axes = planes_of(p.window, outputs, transposed=self.transposed)
        if self.fixed:
            steps = [step * p.output_channels for step in (axes.input_column, axes.output_column, axes.output_row)]
            planes = replace(planes, steps=(steps[0], steps[1], steps[2]))
        return planes, axes

    def fits(self, layer: Layer, core: Core) -> str:
        p: DepthwiseConv2D = layer.params
        if reason := rounding.runs_on(layer, core) or fits_planes(layer, core, transposed=self.transposed):
            return reason
        if (p.window.kernel_h, p.window.kernel_w) != (3, 3):
            return f"the filter is {p.window.kernel_h}x{p.window.kernel_w}, the kernel computes 3x3"
        return self._reach(p) or rounding.shifts_right(p.multiplier, p.shift)

    def _reach(self, p: DepthwiseConv2D) -> str:
        """Whether strides and offsets are such as the code can have."""
        planes, _ = self._planes(p)
        if planes.stride > 2 or planes.row_stride > 2:
            return f"strides are {p.window.stride_h}x{p.window.stride_w}, the kernel has 1 and 2"
        if planes.row_bytes > MOST_ROW_BYTES or planes.plane_bytes > MOST_PLANE_BYTES:
            return f"a row of {planes.columns} columns is too long for the planes"
        if planes.steps:
            read, column, row = planes.steps
            if max(2 * LONGEST_TURN * read, 9 * column + row) > MOST_OFFSET:
                return f"pixels of {p.output_channels} channels are too far from each other for fixed offsets"
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: DepthwiseConv2D = layer.params
        planes, axes = self._planes(p)
        style = style_of(p, planes, axes)
        asm = _assembly(planes, style)
        ticks = planes_ticks(asm, planes, axes, p.output_channels, Blocks(planes, style))
        words = Blocks(planes, style).weights + (3 if style.folded else 4)
        constants = 4 * (HEADER_WORDS + p.output_channels * words)
        shared = (_function(planes, style).name, asm.code_bytes)
        return Cost(ticks.cycles + CALL_TICKS, CALL_BYTES, constants, (shared,), instructions=ticks.instructions)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return self._planes(layer.params)[0].scratch_bytes

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """A channel's outputs may lie on that channel's inputs, but not on another's."""
        return ExactOffset(0) if in_place_is_safe(*self._planes(layer.params)) else None

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: DepthwiseConv2D = layer.params
        planes, axes = self._planes(p)
        function = _function(planes, style_of(p, planes, axes))
        name = f"{operands.prefix}_weights"
        comment = f"weights 3x3x{p.output_channels} in pairs, with scales and biases"
        constant = Constant(name, "uint32_t", pack(p, planes, axes, transposed=self.transposed), 4, comment)
        call = f"{function.name}({name}, {operands.inputs[0]}, {operands.outputs[0]}, {operands.scratch});"
        return Code(call=(call,), constants=(constant,), assembler=(function,))


KERNELS: tuple[Kernel, ...] = tuple(
    Depthwise3x3(transposed=transposed, fixed=fixed) for fixed in (False, True) for transposed in (False, True)
)
