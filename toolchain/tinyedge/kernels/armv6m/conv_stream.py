"""conv_2d, one output channel by four pixels at a time, weights as bytes that are read in a stream.

For each channel the stream has runs of weights (see `chunks`), each with a byte in front that says how far back into a
row of unrolled steps to jump, and a 0 behind the last run. A step is 10 cycles and 4 products. Behind a run the sums
of pairs of pixels are taken apart: with 2**15 in the lower one from the start there is no borrow, and the channel's
starting sum makes up for it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv6m import conv_pixels
from tinyedge.kernels.armv6m.asm import Assembly, emit_line, load_line
from tinyedge.kernels.armv6m.chunks import cut
from tinyedge.kernels.armv6m.conv_pixels import GROUP, STEM, Layout, find_layout, found_line, input_bias
from tinyedge.kernels.armv6m.requantize import LineForm
from tinyedge.kernels.common.numbers import by_numbers
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Operands
from tinyedge.kernels.thumb.assembly import Ticks
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D

PIXELS = 4
LONGEST_RUN = 16
STEP_BYTES = 14
BEHIND_STEPS_BYTES = 30
"""from the end of the steps to where jumps are counted from"""
LANE_START = 1 << 15
"""in the lower sum of a word, so that it is never negative"""
_SUMS = ("r8", "r9", "r10", "r11")
_CHANNEL = "[sp]"
"""the number of the channel; behind it lies what of te_conv_2d_group is in front of the weights"""


def _copied(member: str, index: int = 0) -> str:
    """A member of te_conv_2d_group in its copy on the stack."""
    return f"[sp, #({GROUP[member]} + {4 + 4 * index})]"


@dataclass(frozen=True, eq=False)
class Stream:
    """weights: bytes with jumps in between; runs [channels]: how many runs each channel has."""

    weights: npt.NDArray[np.uint8]
    runs: npt.NDArray[np.int64]


@by_numbers
def pack_stream(params: Conv2D) -> Stream:
    """The weights of all channels with a byte before each run: half the bytes of code to jump, backwards."""
    flat = params.weights.reshape(params.output_channels, -1).astype(np.int64)
    parts: list[int] = []
    counts = []
    for channel in flat:
        runs = cut(channel, LONGEST_RUN)
        counts.append(len(runs))
        weights = channel.tolist()
        start = 0
        for run in runs:
            parts.append(-(BEHIND_STEPS_BYTES + run * STEP_BYTES) // 2)
            parts += weights[start : start + run]
            start += run
        parts.append(0)
    return Stream(np.array(parts, np.int64).astype(np.uint8), np.array(counts, np.int64))


def pack_scales(params: Conv2D) -> npt.NDArray[np.uint32]:
    """Per channel: the sums to start from in the lower and in the upper half of a word, and the line's constants."""
    bias = input_bias(params).astype(np.int64)
    lower = bias - LANE_START * pack_stream(params).runs
    words = np.stack([lower, bias, *found_line(params).words], axis=1)
    return np.ascontiguousarray(words & 0xFFFFFFFF).astype(np.uint32).reshape(-1)


@functools.cache
def _assembly(form: LineForm) -> Assembly:
    asm = Assembly(GROUP)
    asm.save()
    asm("ldm r0!, {r1-r7}", "push {r1-r7}", f"ldr r7, [r0, #({GROUP['weights']} - 28)]", "movs r1, #0", "push {r1}")
    asm("movs r1, #128", "lsls r1, r1, #8", "mov r12, r1")
    asm.block("channel", "the sums of a channel start with its bias")
    asm(f"1: ldr r4, {_copied('scales')}", "ldm r4!, {r0, r1}", f"str r4, {_copied('scales')}")
    asm("mov r8, r0", "mov r10, r0", "mov r9, r1", "mov r11, r1", f"ldr r6, {_copied('panel')}", "movs r3, #0")
    asm("mov r0, r12", "mov r1, r12", "b 2f")
    for step in range(LONGEST_RUN):
        asm.block(f"step {step}", "one weight" if step == 0 else "")
        asm("ldm r6!, {r4, r5}", "ldrsb r2, [r7, r3]", "adds r3, r3, #1")
        asm("muls r4, r2, r4", "muls r5, r2, r5", "adds r0, r0, r4", "adds r1, r1, r5")
    asm.block("apart", "sums of pairs taken apart")
    for word, low, high in (("r0", "r8", "r9"), ("r1", "r10", "r11")):
        asm(f"uxth r2, {word}", f"add {low}, r2", f"asrs {word}, {word}, #16", f"add {high}, {word}")
    asm("mov r0, r12", "mov r1, r12")
    asm.block("run", "the next run")
    asm("2: ldrsb r2, [r7, r3]", "adds r3, r3, #1", "lsls r2, r2, #1", "add pc, r2", "nop")
    asm.block("scale", "constants of the channel")
    asm("adds r7, r7, r3", f"ldr r6, {_copied('scales')}")
    if form.bent:
        asm("mov r12, r7")
    load_line(asm, form, "r6")
    asm(f"str r6, {_copied('scales')}")
    asm.block("outputs", "int8")
    kept = form.digits == 2  # r6 is left alone
    if kept:
        asm(f"ldr r6, {_CHANNEL}")
    for pixel, source in enumerate(_SUMS):
        emit_line(asm, form, source)
        asm(f"ldr r1, {_copied('outputs', pixel)}")
        if not kept:
            asm(f"ldr r6, {_CHANNEL}")
        asm("strb r0, [r1, r6]")
    asm.block("next channel")
    if form.bent:
        asm("mov r7, r12", "movs r1, #128", "lsls r1, r1, #8", "mov r12, r1")
    asm(f"ldr r1, {_copied('channels')}", "adds r6, r6, #1", f"str r6, {_CHANNEL}", "cmp r6, r1", "beq 4f", "b 1b")
    asm.block("end")
    asm("4: add sp, #32")
    asm.restore()
    return asm


@functools.cache
def stream_function(form: LineForm) -> AsmFunction:
    comment = (
        "All channels of four pixels, weights in a stream.\n\n"
        "r0, r1 sums of two pixels each; r4, r5 pixels; r2 weight; r6 panel; r7 + r3 stream; r8-r11 sums of pixels;\n"
        "r12 2**15"
    )
    return _assembly(form).shared("te_conv_2d_stream", "void NAME(const te_conv_2d_group *group)", comment)


def run_ticks(params: Conv2D, layout: Layout) -> Ticks:
    """What the function takes for one group of pixels."""
    asm = _assembly(found_line(params).form)
    runs = int(pack_stream(params).runs.sum())
    weights = params.output_channels * layout.taps
    channel = asm.ticks("channel") + asm.ticks("scale") + asm.ticks("outputs") + asm.ticks("next channel")
    jump = asm.ticks("run") + Ticks(-1, -1)  # the nop is jumped over
    run = jump + asm.ticks("apart")
    total = asm.ticks("start") + asm.ticks("end") + params.output_channels * channel
    return total + runs * run + weights * asm.ticks("step 0") + params.output_channels * jump


class Conv2DStream(Kernel):
    """int8 convolutions without groups: four pixels at a time, a byte of flash for a weight."""

    name = "armv6m/conv_2d_stream"
    operators: ClassVar[tuple[str, ...]] = ("conv_2d",)

    def fits(self, layer: Layer, core: Core) -> str:
        return conv_pixels.pixels_reason(layer, core, PIXELS)

    def cost(self, layer: Layer, core: Core) -> Cost:
        params: Conv2D = layer.params
        layout, form = find_layout(params, PIXELS), found_line(params).form
        constants = pack_stream(params).weights.size + 4 * (2 + form.words) * params.output_channels
        shared = (
            (STEM, conv_pixels.DRIVER_BYTES),
            conv_pixels.pack_cost(layout),
            (stream_function(form).name, _assembly(form).code_bytes),
        )
        ticks = layout.groups * (run_ticks(params, layout) + layout.segments * conv_pixels.pack_ticks(layout))
        cycles = conv_pixels.driver_cycles(params, layout) + layout.groups * run_ticks(params, layout).cycles
        constants += conv_pixels.PARAMS_BYTES
        return Cost(cycles, conv_pixels.LAYER_CODE_BYTES, constants, shared, instructions=ticks.instructions)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return find_layout(layer.params, PIXELS).scratch_bytes

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return conv_pixels.layout_in_place(layer.params, find_layout(layer.params, PIXELS))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        params: Conv2D = layer.params
        layout, prefix = find_layout(params, PIXELS), operands.prefix
        function = stream_function(found_line(params).form)
        shape = "x".join(str(size) for size in params.weights.shape)
        return Code(
            call=(f"{STEM}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]}, {operands.scratch});",),
            constants=(
                Constant(
                    f"{prefix}_weights",
                    "uint8_t",
                    pack_stream(params).weights,
                    1,
                    f"weights {shape}, each run behind the code it jumps over",
                ),
                Constant(f"{prefix}_scales", "uint32_t", pack_scales(params), 4, "sums at the start, and the line"),
            ),
            functions=conv_pixels.params_text(params, layout, prefix, function.name, f"{prefix}_weights"),
            runtime=(STEM,),
            assembler=(conv_pixels.pack_function(layout), function),
        )


KERNELS: tuple[Kernel, ...] = (Conv2DStream(),)
