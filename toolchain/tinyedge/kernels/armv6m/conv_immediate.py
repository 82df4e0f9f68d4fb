"""conv_2d with the weights as immediates of the code, three output channels by two pixels at a time, for speed.

A weight costs three instructions for two products, and less when it is 0, 1 or a power of two: no load, no loop. The
price is about nine bytes of code for each, which are run through once for every two pixels: on chips that execute
from slow flash through a cache smaller than that (RP2040: 16 KB) the gain over `conv_stream` may be lost.
"""

from __future__ import annotations

import functools
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv6m import conv_pixels
from tinyedge.kernels.armv6m.asm import Assembly, emit_line, load_line
from tinyedge.kernels.armv6m.chunks import cut
from tinyedge.kernels.armv6m.conv_pixels import GROUP, STEM, find_layout, found_line, input_bias
from tinyedge.kernels.common.numbers import by_numbers
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.kernels.thumb.assembly import Ticks
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D

PIXELS = 2
CHANNELS = 3
MOST_WEIGHTS = 5120
"""45 KB of code; a model of larger layers would not fit its chip"""
MOST_CHANNELS = 256
"""what an immediate counts to"""
_TOTALS = ("r0", "r1", "r2")
_CELLS = ("r4", "r5", "r6")
_SUMS = (("r8", "r9"), ("r10", "r11"), ("r12", "lr"))
_FRAME_BYTES = 20
"""of te_conv_2d_group, up to the outputs of both pixels, on the stack"""


class _Emitter:
    """Writes the function of one layer."""

    def __init__(self, params: Conv2D) -> None:
        self.asm = Assembly(GROUP)
        self.form = found_line(params).form
        self.weights = params.weights.reshape(params.output_channels, -1).astype(np.int64)
        self.ends = [set(np.cumsum(cut(channel, len(channel))).tolist()) for channel in self.weights]
        """behind which weights the sums of a channel's pixels are taken apart"""

    def emit(self) -> Assembly:
        asm = self.asm
        asm.save()
        asm("ldm r0!, {r1-r5}", "push {r1-r5}")
        for first in range(0, len(self.weights), CHANNELS):
            self._group(range(first, min(first + CHANNELS, len(self.weights))))
        asm(f"add sp, #{_FRAME_BYTES}")
        asm.restore()
        return asm

    def _group(self, channels: range) -> None:
        asm = self.asm
        asm.block("start", f"channels {channels.start} to {channels.stop - 1}")
        asm(f"ldr r7, [sp, #{GROUP['scales']}]", f"ldm r7!, {{{', '.join(_TOTALS[: len(channels)])}}}")
        asm(f"str r7, [sp, #{GROUP['scales']}]", f"ldr r7, [sp, #{GROUP['panel']}]")
        for total, sums in zip(_TOTALS[: len(channels)], _SUMS, strict=False):
            asm(*(f"mov {part}, {total}" for part in sums))
        fresh = [True] * len(channels)
        taps = self.weights.shape[1]
        for start in range(0, taps, len(_CELLS)):
            loaded = range(start, min(start + len(_CELLS), taps))
            asm(f"ldm r7!, {{{', '.join(_CELLS[: len(loaded)])}}}")
            for at, channel in enumerate(channels):
                for cell, tap in zip(_CELLS, loaded, strict=False):
                    weight = int(self.weights[channel, tap])
                    self._product(weight, _TOTALS[at], cell, fresh=fresh[at])
                    fresh[at] &= weight == 0
                    if tap + 1 in self.ends[channel] and not fresh[at]:
                        self._take_apart(_TOTALS[at], *_SUMS[at])
                        fresh[at] = True
        for at, channel in enumerate(channels):
            self._finish(channel, _SUMS[at])

    def _product(self, weight: int, total: str, cell: str, *, fresh: bool) -> None:
        """total += weight * cell, or total = that."""
        size = abs(weight)
        if size == 0:
            return
        target = total if fresh else "r3"
        if size & (size - 1) == 0:
            if size == 1 and not fresh:
                target = cell
            else:
                self.asm(f"lsls {target}, {cell}, #{size.bit_length() - 1}" if size > 1 else f"movs {target}, {cell}")
        else:
            self.asm(f"movs {target}, #{size}", f"muls {target}, {cell}, {target}")
        if not fresh:
            self.asm(f"{'adds' if weight > 0 else 'subs'} {total}, {total}, {target}")
        elif weight < 0:
            self.asm(f"rsbs {total}, {total}, #0")

    def _take_apart(self, total: str, low: str, high: str) -> None:
        self.asm(f"sxth r3, {total}", f"add {low}, r3", f"subs {total}, {total}, r3")
        self.asm(f"asrs {total}, {total}, #16", f"add {high}, {total}")

    def _finish(self, channel: int, sums: tuple[str, str]) -> None:
        asm = self.asm
        asm(f"ldr r6, [sp, #{GROUP['scales']}]")
        load_line(asm, self.form, "r6")
        asm(f"str r6, [sp, #{GROUP['scales']}]")
        for pixel, source in enumerate(sums):
            emit_line(asm, self.form, source)
            asm(f"ldr r1, [sp, #({GROUP['outputs']} + {4 * pixel})]")
            if channel < 32:
                asm(f"strb r0, [r1, #{channel}]")
            else:
                asm(f"movs r6, #{channel}", "strb r0, [r1, r6]")


@functools.lru_cache(maxsize=16)
def _assembly(params: Conv2D) -> Assembly:
    return _Emitter(params).emit()


@by_numbers
def _figures(params: Conv2D) -> tuple[Ticks, int, int]:
    """What two pixels take, bytes of code and of constants: of a layer as of any of its rows."""
    asm = _Emitter(params).emit()
    return asm.ticks("start"), asm.code_bytes, 4 * pack_scales(params).size


def pack_scales(params: Conv2D) -> npt.NDArray[np.uint32]:
    """For each group of channels the sums to start from, then the line's constants of each."""
    bias = input_bias(params).astype(np.int64)[:, None]
    words = np.stack(found_line(params).words, axis=1)
    parts = []
    for first in range(0, len(bias), CHANNELS):
        group = slice(first, first + CHANNELS)
        parts += [bias[group].reshape(-1), words[group].reshape(-1)]
    return (np.concatenate(parts) & 0xFFFFFFFF).astype(np.uint32)


class Conv2DImmediate(Kernel):
    """int8 convolutions without groups and with few weights, which become code."""

    name = "armv6m/conv_2d_immediate"
    operators: ClassVar[tuple[str, ...]] = ("conv_2d",)

    def fits(self, layer: Layer, core: Core) -> str:
        params: Conv2D = layer.params
        if params.weights.size > MOST_WEIGHTS:
            return f"{params.weights.size:,} weights are more than the {MOST_WEIGHTS:,} it makes code of"
        if params.output_channels > MOST_CHANNELS:
            return f"{params.output_channels} output channels are more than {MOST_CHANNELS}"
        return conv_pixels.pixels_reason(layer, core, PIXELS)

    def cost(self, layer: Layer, core: Core) -> Cost:
        params: Conv2D = layer.params
        layout, (two_pixels, code, constants) = find_layout(params, PIXELS), _figures(params)
        ticks = layout.groups * (two_pixels + layout.segments * conv_pixels.pack_ticks(layout))
        cycles = conv_pixels.driver_cycles(params, layout) + layout.groups * two_pixels.cycles
        shared = ((STEM, conv_pixels.DRIVER_BYTES), conv_pixels.pack_cost(layout))
        code += conv_pixels.LAYER_CODE_BYTES
        constants += conv_pixels.PARAMS_BYTES
        return Cost(cycles, code, constants, shared, instructions=ticks.instructions)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return find_layout(layer.params, PIXELS).scratch_bytes

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return conv_pixels.layout_in_place(layer.params, find_layout(layer.params, PIXELS))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        params: Conv2D = layer.params
        layout, prefix = find_layout(params, PIXELS), operands.prefix
        comment = (
            "All channels of two pixels, weights in the code.\n\n"
            "r0-r2 sums of two pixels each, r3 product, r4-r6 pixels, r7 panel, r8-r12 and lr sums of pixels"
        )
        run = f"{prefix}_run"
        function = _assembly(params).function(run, f"void {run}(const te_conv_2d_group *group)", comment)
        return Code(
            call=(f"{STEM}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]}, {operands.scratch});",),
            constants=(
                Constant(f"{prefix}_scales", "uint32_t", pack_scales(params), 4, "sums at the start, and the line"),
            ),
            functions=conv_pixels.params_text(params, layout, prefix, run, "0"),
            runtime=(STEM,),
            assembler=(conv_pixels.pack_function(layout), function),
        )


KERNELS: tuple[Kernel, ...] = (Conv2DImmediate(),)
