"""depthwise_conv_2d in little code: 3x3 with weights in registers, and any other filter four outputs at a time.

Both walk over quads (see `depthwise_quads`) and know no sizes but the filter's width and stride, so that all layers
of a network share one function. They serve where `depthwise_3x3` would take too much flash, or does not fit.

3x3: three pointers walk down the three rows of a window, for two outputs a turn:

    left   (w0, w1) . word  +  w2 * low half of the next word
    right  w0 * high half of word  +  (w1, w2) . next word

Any filter: weights come from flash once for four outputs. With stride 1 the even outputs of a row take pairs
(w0, w1), (w2, w3), ..., the odd ones (0, w0), (w1, w2), ... of the same words; with stride 2 all take the former.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv7em import rounding
from tinyedge.kernels.armv7em.depthwise_constants import channel_bias, fits_planes
from tinyedge.kernels.armv7em.depthwise_planes import MOST_OFFSET, Axes, Planes, in_place_is_safe, planes_of
from tinyedge.kernels.armv7em.depthwise_quads import (
    QUAD,
    Limits,
    RowComputation,
    emit_quads,
    quads_header,
    quads_ticks,
    slot,
    word,
)
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, ExactOffset, Kernel, Operands
from tinyedge.kernels.thumb.assembly import Assembly, Ticks, doubled_multiplier
from tinyedge.ops.contract import Layer
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D

Int64Array = npt.NDArray[np.int64]

BAND_OUTPUTS = 16
"""outputs of a channel that a band has at least; fewer than where time counts"""
EXPONENT_BITS = 5
"""of the word that holds a bias, too"""
BLOCK = 4
"""outputs of any filter that are computed together"""
CALL_TICKS = 12
CALL_BYTES = 20
PROTOTYPE = "void NAME(const uint32_t *layer, const int8_t *input, int8_t *output, uint8_t *scratch)"


class Rows3x3(RowComputation):
    """Two outputs a turn; r0, r10, r11 walk down the rows of the window, r2-r7 hold weights, r8, r9 sums."""

    def __init__(self, limits: Limits, stride: int) -> None:
        super().__init__(limits)
        self.stride = stride

    def emit_load(self, asm: Assembly) -> None:
        """Weights are int8 in flash, three words; bias and exponent share a word."""
        if self.stride == 1:
            asm("ldm r12!, {r2, r4, r6, r8, r9}")
            asm(
                *(f"sxtb16 r{odd}, r{odd - 1}, ror #8" for odd in (3, 5, 7)), *(f"sxtb16 r{r}, r{r}" for r in (2, 4, 6))
            )
        else:
            asm("ldm r12!, {r2-r4, r8, r9}", "sxtb16 r5, r2, ror #8", "sxtb16 r6, r3, ror #8")
            asm(*(f"sxtb16 r{r}, r{r}" for r in (2, 3, 4)))
        asm("and r10, r9, #31", "rsb r10, r10, #32", "mvn r11, #0", "lsl r11, r11, r10", "asr r9, r9, #5")
        asm(
            "vmov s0, s1, r8, r11", f"ldr r8, {slot('layer')}", f"ldr r8, {word('wanted', 'r8')}", "vmov s2, s3, r8, r9"
        )

    def emit_row(self, asm: Assembly) -> None:
        asm("vmov r12, s7", "add r10, r0, r12", "add r11, r10, r12", f"ldr r12, {slot('layer')}")
        asm(
            f"ldr r12, {word('outputs', 'r12')}",
            "lsrs lr, r12, #1",
            "beq 42f",
            f"add r12, r0, lr, lsl #{3 + self.stride}",
        )
        asm("vmov s4, r12")
        asm.block("pair", "two outputs")
        asm("41: vmov r8, s3")
        self._windows(asm, 2)
        asm("strb r8, [r1]", "vmov r12, s5", "strb r9, [r1, r12]", "add r1, r1, r12, lsl #1")
        asm("vmov r12, s4", "cmp r0, r12", "bne.w 41b")
        asm.block("output row", "the last output, if their number is odd")
        asm(f"42: ldr r12, {slot('layer')}", f"ldr r12, {word('outputs', 'r12')}", "tst r12, #1", "beq.w 43f")
        asm.block("single")
        asm("vmov r8, s3")
        self._windows(asm, 1)
        asm("strb r8, [r1]")
        asm("43:")

    def _windows(self, asm: Assembly, outputs: int) -> None:
        """The load that moves its pointer is the last of a row: one behind it would wait for the address."""
        for tap, row in enumerate(("r0", "r10", "r11")):
            if self.stride == 1:
                self._row_by_one(asm, tap, row, outputs)
            else:
                self._row_by_two(asm, tap, row, outputs)
        self.requantize(asm, ["r8", "r9"][:outputs])

    def _row_by_one(self, asm: Assembly, tap: int, row: str, outputs: int) -> None:
        pair, next_pair = f"r{2 + 2 * tap}", f"r{3 + 2 * tap}"
        asm(f"ldr lr, [{row}, #{QUAD}]", f"ldr r12, [{row}], #{QUAD}")
        if outputs == 2:
            asm(f"smlatb r9, r12, {pair}, {'r9' if tap else 'r8'}", f"smlad r9, lr, {next_pair}, r9")
        asm(f"smlad r8, r12, {pair}, r8", f"smlabt r8, lr, {next_pair}, r8")

    def _row_by_two(self, asm: Assembly, tap: int, row: str, outputs: int) -> None:
        pair, third, half = f"r{2 + tap}", ("r5", "r5", "r6")[tap], "smlabt" if tap == 1 else "smlabb"
        if outputs == 2:
            asm(f"ldr r7, [{row}, #{2 * QUAD}]")
        asm(f"ldr lr, [{row}, #{QUAD}]", f"ldr r12, [{row}], #{2 * QUAD}")
        if outputs == 2:
            asm(f"smlad r9, lr, {pair}, {'r9' if tap else 'r8'}", f"{half} r9, r7, {third}, r9")
        asm(f"smlad r8, r12, {pair}, r8", f"{half} r8, lr, {third}, r8")

    def row_ticks(self, asm: Assembly, planes: Planes) -> Ticks:
        pairs, single = divmod(planes.outputs, 2)
        return pairs * asm.ticks("pair") + single * asm.ticks("single")


class RowsOfAny(RowComputation):
    """Four outputs a turn, a row of the filter at a time.

    r0 quads, r1 output, r2 weights, r3, r12 words of weights, r4-r7 sums, r8-r11 words of input, lr bytes of a row of
    quads; s9 first weights of the channel, s10 their end, s11 quads of the turn, s12 outputs left.
    """

    def __init__(self, limits: Limits, width: int, stride: int) -> None:
        super().__init__(limits)
        self.width, self.stride = width, stride

    def emit_load(self, asm: Assembly) -> None:
        asm("vmov s9, r12", f"ldr lr, {slot('layer')}", f"ldr lr, {word('wanted', 'lr')}", "add r12, r12, lr")
        asm("vmov s10, r12", "vldm r12!, {s0-s3}")

    def emit_row(self, asm: Assembly) -> None:
        asm("vmov s11, r0", f"ldr r12, {slot('layer')}", f"ldr r12, {word('outputs', 'r12')}", "vmov s12, r12")
        asm.block("block", "four outputs")
        asm("41: vmov r0, s11", "vmov r2, s9", "vmov lr, s7", "vmov r4, s3", "mov r5, r4", "mov r6, r4", "mov r7, r4")
        asm.block("taps", "a row of the filter")
        asm("42:")
        if self.stride == 1:
            self._taps_by_one(asm)
        else:
            self._taps_by_two(asm)
        asm("vmov r12, s10", "add r0, r0, lr", "cmp r2, r12", "bne.w 42b")
        asm.block("block")
        self.requantize(asm, ["r4", "r5", "r6", "r7"])
        asm("vmov r0, s11", f"add r0, r0, #{2 * QUAD * self.stride}", "vmov s11, r0")
        asm("vmov r12, s5", "vmov r3, s12", "subs r3, r3, #4", "vmov s12, r3", "bmi 43f")
        asm("strb r4, [r1]", "strb r5, [r1, r12]", "strb r6, [r1, r12, lsl #1]", "add r1, r1, r12, lsl #1")
        asm("strb r7, [r1, r12]", "add r1, r1, r12, lsl #1", "bne.w 41b", "b 44f")
        asm.block("some", "fewer than four outputs: r3 is their number less four")
        asm("43: strb r4, [r1]", "cmn r3, #2", "it ge", "strbge r5, [r1, r12]")
        asm("cmn r3, #1", "it ge", "strbge r6, [r1, r12, lsl #1]")
        asm("44:")

    def _taps_by_one(self, asm: Assembly) -> None:
        even, odd = (self.width + 1) // 2, self.width // 2 + 1
        asm("ldr r8, [r0]")
        for at in range(odd):
            here, there = f"r{8 + at % 4}", f"r{8 + (at + 1) % 4}"
            asm(f"ldr {there}, [r0, #{QUAD * (at + 1)}]")
            if at < even:
                asm("ldm r2!, {r3, r12}", f"smlad r4, {here}, r3, r4", f"smlad r6, {there}, r3, r6")
            else:
                asm("ldr r12, [r2], #4")
            asm(f"smlad r5, {here}, r12, r5", f"smlad r7, {there}, r12, r7")

    def _taps_by_two(self, asm: Assembly) -> None:
        asm(*(f"ldr r{8 + at}, [r0, #{QUAD * at}]" for at in range(3)))
        for at in range((self.width + 1) // 2):
            asm(f"ldr r{8 + (at + 3) % 4}, [r0, #{QUAD * (at + 3)}]", "ldr r3, [r2], #4")
            asm(*(f"smlad r{4 + output}, r{8 + (at + output) % 4}, r3, r{4 + output}" for output in range(BLOCK)))

    def row_ticks(self, asm: Assembly, planes: Planes) -> Ticks:
        return planes.outputs // BLOCK * (asm.ticks("block") + planes.kernel_h * asm.ticks("taps"))


@cache
def _assembly_3x3(limits: Limits, stride: int) -> Assembly:
    return emit_quads(Rows3x3(limits, stride))


@cache
def _assembly_any(limits: Limits, width: int, stride: int) -> Assembly:
    return emit_quads(RowsOfAny(limits, width, stride))


def bytes_3x3(taps: Int64Array, stride: int) -> list[int]:
    """The weights of one channel, a word a row: SXTB16 takes bytes 0 and 2, rotated 1 and 3. Shape: taps [3, 3]

    Bytes 0 and 2 are w0 and w1 in any case. With stride 1 the others are w1 and w2; with stride 2 those of the first
    two rows hold w2 of all rows.
    """
    if stride == 1:
        rows = [(w0, w1, w1, w2) for w0, w1, w2 in taps]
    else:
        third = [*taps[:, 2], 0, 0, 0]
        rows = [(w0, third[2 * row], w1, third[2 * row + 1]) for row, (w0, w1, _) in enumerate(taps)]
    return [sum((int(byte) & 0xFF) << (8 * at) for at, byte in enumerate(row)) for row in rows]


def pairs_of_any(taps: Int64Array, stride: int) -> list[int]:
    """The weights of one channel in the order `RowsOfAny` reads them. Shape: taps [height, width]"""
    width = taps.shape[1]
    padded = np.pad(taps, ((0, 0), (1, 3)))
    result: list[int] = []
    for row in padded:
        for at in range(width // 2 + 1):
            if 2 * at < width:
                result += rounding.halfwords(row[1 + 2 * at], row[2 + 2 * at]).reshape(1).tolist()
            if stride == 1:
                result += rounding.halfwords(row[2 * at], row[1 + 2 * at]).reshape(1).tolist()
    return result


class _OverQuads(Kernel):
    """What both kernels share. `transposed`: go through the image by columns."""

    operators: ClassVar[tuple[str, ...]] = ("depthwise_conv_2d",)
    stem: ClassVar[str]

    def __init__(self, *, transposed: bool) -> None:
        self.transposed = transposed

    @abc.abstractmethod
    def _planes(self, p: DepthwiseConv2D) -> tuple[Planes, Axes]: ...

    @abc.abstractmethod
    def _assembly(self, p: DepthwiseConv2D, planes: Planes) -> tuple[Assembly, RowComputation]: ...

    @abc.abstractmethod
    def _channel(self, p: DepthwiseConv2D, taps: Int64Array, scale: tuple[int, int], bias: int) -> list[int]:
        """The constants of one channel. `scale`: multiplier and shift."""

    @abc.abstractmethod
    def _wanted(self, p: DepthwiseConv2D, planes: Planes) -> int:
        """The word of the layer that is for the computation."""

    @abc.abstractmethod
    def _refuses(self, p: DepthwiseConv2D, planes: Planes) -> str: ...

    def _stride(self, p: DepthwiseConv2D) -> int:
        """Along pairs of pixels."""
        return p.window.stride_h if self.transposed else p.window.stride_w

    def fits(self, layer: Layer, core: Core) -> str:
        p: DepthwiseConv2D = layer.params
        reason = rounding.runs_on(layer, core) or fits_planes(layer, core, transposed=self.transposed)
        if reason:
            return reason
        planes, _ = self._planes(p)
        if planes.stride > 2:
            return f"the stride along pairs of pixels is {planes.stride}, the kernel has 1 and 2"
        if planes.kept_rows < 0:
            return f"rows between windows are not read: a stride of {planes.row_stride} over {planes.kernel_h}"
        return self._refuses(p, planes) or rounding.shifts_right(p.multiplier, p.shift)

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: DepthwiseConv2D = layer.params
        planes, axes = self._planes(p)
        asm, computation = self._assembly(p, planes)
        ticks = quads_ticks(asm, planes, axes, p.output_channels, computation)
        shared = (self._function(p, planes).name, asm.code_bytes)
        words = len(self._header(p)) + p.output_channels * sum(1 for _ in self._constants(p, [0]))
        return Cost(ticks.cycles + CALL_TICKS, CALL_BYTES, 4 * words, (shared,), instructions=ticks.instructions)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return self._planes(layer.params)[0].scratch_bytes

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """A channel's outputs may lie on that channel's inputs, but not on another's."""
        p: DepthwiseConv2D = layer.params
        planes, axes = self._planes(p)
        outputs = p.window.output_h if self.transposed else p.window.output_w
        return ExactOffset(0) if in_place_is_safe(replace(planes, outputs=outputs), axes) else None

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: DepthwiseConv2D = layer.params
        function = self._function(p, self._planes(p)[0])
        name = f"{operands.prefix}_weights"
        shape = "x".join(str(size) for size in p.weights.shape)
        constant = Constant(name, "uint32_t", self.pack(p), 4, f"weights {shape} with scales and biases")
        call = f"{function.name}({name}, {operands.inputs[0]}, {operands.outputs[0]}, {operands.scratch});"
        return Code(call=(call,), constants=(constant,), assembler=(function,))

    def pack(self, p: DepthwiseConv2D) -> npt.NDArray[np.uint32]:
        """Header and constants of a layer, as `depthwise_quads` lists them."""
        return rounding.words([*self._header(p), *self._constants(p, range(p.output_channels))])

    def _header(self, p: DepthwiseConv2D) -> list[int]:
        planes, axes = self._planes(p)
        outputs = p.window.output_h if self.transposed else p.window.output_w
        return quads_header(planes, axes, p.output_channels, p.input_zero_point, outputs, self._wanted(p, planes))

    def _constants(self, p: DepthwiseConv2D, channels: Iterable[int]) -> Iterator[int]:
        """The constants of some channels, of each equally many."""
        weights = p.weights.astype(np.int64).transpose((1, 0, 2) if self.transposed else (0, 1, 2))
        bias = channel_bias(p)
        for channel in channels:
            taps, start, scale = weights[:, :, channel], int(bias[channel]), rounding.NOTHING
            if p.multiplier[channel]:
                scale = int(p.multiplier[channel]), int(p.shift[channel])
            else:
                taps, start = np.zeros_like(taps), 0
            yield from self._channel(p, taps, scale, start)

    def _function(self, p: DepthwiseConv2D, planes: Planes) -> AsmFunction:
        comment = (
            f"{self._title(planes)}; all sizes come with the layer.\n\n"
            "layer   te_quads_layer, then for each channel weights and constants\n"
            "output  may lie over the input, at the same address"
        )
        return self._assembly(p, planes)[0].shared(self.stem, PROTOTYPE, comment)

    def _title(self, planes: Planes) -> str:
        return f"Depthwise convolution, filter {planes.kernel_w} wide, stride {planes.stride}"


def _limits(p: DepthwiseConv2D) -> Limits:
    return Limits(p.activation_min, p.activation_max, p.activation_min >= p.output_zero_point)


class DepthwiseCompact3x3(_OverQuads):
    """int8 depthwise 3x3 with stride 1 or 2, in place, one function for all sizes."""

    stem = "te_depthwise_3x3_compact"

    def __init__(self, *, transposed: bool) -> None:
        super().__init__(transposed=transposed)
        self.name = "armv7em/depthwise_3x3_compact" + ("_transposed" if transposed else "")  # type: ignore[misc]

    def _planes(self, p: DepthwiseConv2D) -> tuple[Planes, Axes]:
        return planes_of(p.window, BAND_OUTPUTS, transposed=self.transposed)

    def _assembly(self, p: DepthwiseConv2D, planes: Planes) -> tuple[Assembly, RowComputation]:
        limits = _limits(p)
        return _assembly_3x3(limits, planes.stride), Rows3x3(limits, planes.stride)

    def _channel(self, p: DepthwiseConv2D, taps: Int64Array, scale: tuple[int, int], bias: int) -> list[int]:
        return [*bytes_3x3(taps, self._stride(p)), doubled_multiplier(scale[0]), bias << EXPONENT_BITS | -scale[1]]

    def _wanted(self, p: DepthwiseConv2D, planes: Planes) -> int:
        return p.output_zero_point

    def _refuses(self, p: DepthwiseConv2D, planes: Planes) -> str:
        size = (planes.kernel_h, planes.kernel_w)
        if size != (3, 3):
            return f"the filter is {size[0]}x{size[1]}, the kernel computes 3x3"
        largest = int(np.abs(channel_bias(p)).max())
        room = 1 << (31 - EXPONENT_BITS)
        return f"a bias is {largest:,}, the kernel has room for less than {room:,}" if largest >= room else ""


class DepthwiseAny(_OverQuads):
    """int8 depthwise with any filter, stride 1 or 2 along one axis and up to the filter's size along the other."""

    stem = "te_depthwise"

    def __init__(self, *, transposed: bool) -> None:
        super().__init__(transposed=transposed)
        self.name = "armv7em/depthwise_any" + ("_transposed" if transposed else "")  # type: ignore[misc]

    def _planes(self, p: DepthwiseConv2D) -> tuple[Planes, Axes]:
        planes, axes = planes_of(p.window, BAND_OUTPUTS, transposed=self.transposed)
        return replace(planes, outputs=-(-planes.outputs // BLOCK) * BLOCK), axes

    def _assembly(self, p: DepthwiseConv2D, planes: Planes) -> tuple[Assembly, RowComputation]:
        arguments = (_limits(p), planes.kernel_w, planes.stride)
        return _assembly_any(*arguments), RowsOfAny(*arguments)

    def _channel(self, p: DepthwiseConv2D, taps: Int64Array, scale: tuple[int, int], bias: int) -> list[int]:
        return [*pairs_of_any(taps, self._stride(p)), *rounding.scale_words(*scale), p.output_zero_point, bias]

    def _wanted(self, p: DepthwiseConv2D, planes: Planes) -> int:
        return 4 * planes.kernel_h * len(pairs_of_any(np.zeros((1, planes.kernel_w), np.int64), planes.stride))

    def _title(self, planes: Planes) -> str:
        if planes.stride == 1:
            return super()._title(planes)
        even = -(-planes.kernel_w // 2) * 2  # filters of an odd width and those one wider are the same code
        return f"Depthwise convolution, filter {even - 1} or {even} wide, stride {planes.stride}"

    def _refuses(self, p: DepthwiseConv2D, planes: Planes) -> str:
        last = QUAD * (planes.kernel_w // 2 + 4)
        return f"a row of {planes.kernel_w} taps is too long" if last > MOST_OFFSET else ""


KERNELS: tuple[Kernel, ...] = (
    DepthwiseCompact3x3(transposed=False),
    DepthwiseCompact3x3(transposed=True),
    DepthwiseAny(transposed=False),
    DepthwiseAny(transposed=True),
)
