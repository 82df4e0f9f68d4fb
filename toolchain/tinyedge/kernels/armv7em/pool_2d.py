"""max_pool_2d and average_pool_2d on int8, four channels in a word."""

from __future__ import annotations

import abc
from functools import cache
from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.armv7em import rounding
from tinyedge.kernels.armv7em.pool_reductions import AVERAGE_WINDOW, LARGER_WINDOW, MOST_CELLS, Average, Larger
from tinyedge.kernels.armv7em.pool_windows import (
    LEAST_CHANNELS,
    PROTOTYPE,
    SIXTEEN,
    WALK_BYTES,
    WALK_TICKS,
    WALK_WINDOW_TICKS,
    emit_window,
    is_one,
    only_window,
    walk_function,
    walk_words,
    windows_ticks,
)
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.overlap import channelwise_in_place
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Offsets, Operands, SharedFunction
from tinyedge.kernels.thumb.assembly import Assembly
from tinyedge.ops.contract import Layer
from tinyedge.ops.pool_2d import Pool2D

CALL_TICKS = 12
CALL_BYTES = 20
EACH_BYTE = 0x01010101


class _Pool2D(Kernel):
    """What both poolings share."""

    window: ClassVar[Offsets]

    @abc.abstractmethod
    def _assembly(self, p: Pool2D) -> Assembly: ...

    @abc.abstractmethod
    def _function(self, p: Pool2D) -> AsmFunction: ...

    @abc.abstractmethod
    def _words(self, p: Pool2D, cells: int) -> dict[str, int]:
        """What the reduction of a window with so many cells wants."""

    @abc.abstractmethod
    def _walk(self, p: Pool2D) -> tuple[SharedFunction, list[int]]:
        """The C that walks over windows, and what it reads beside their geometry."""

    def fits(self, layer: Layer, core: Core) -> str:
        p: Pool2D = layer.params
        w = p.window
        if reason := rounding.runs_on(layer, core) or checks.one_image(layer, w.input_h * w.input_w * p.channels):
            return reason
        if p.channels < LEAST_CHANNELS:
            return f"there are {p.channels} channels, the kernel takes at least {LEAST_CHANNELS}"
        return "the window is dilated" if (w.dilation_h, w.dilation_w) != (1, 1) else ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Pool2D = layer.params
        asm = self._assembly(p)
        ticks = windows_ticks(asm, p.window, p.channels)
        cycles = ticks.cycles + CALL_TICKS
        window = (self._function(p).name, asm.code_bytes)
        if is_one(p.window):
            return Cost(cycles, CALL_BYTES, 4 * 6, (window,), instructions=ticks.instructions)
        walk, words = self._walk(p)
        cycles += WALK_TICKS + p.window.output_h * p.window.output_w * WALK_WINDOW_TICKS
        constants = 4 * (len(walk_words(p.window, p.channels)) + len(words))
        shared = (window, (walk.name, WALK_BYTES))
        return Cost(cycles, CALL_BYTES, constants, shared, instructions=ticks.instructions)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        p: Pool2D = layer.params
        at_once = SIXTEEN if p.channels % 4 == 0 else 4
        return channelwise_in_place(p.window, p.channels, min(at_once, p.channels))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Pool2D = layer.params
        function = self._function(p)
        name = f"{operands.prefix}_windows"
        arguments = f"{name}, {operands.inputs[0]}, {operands.outputs[0]}"
        if is_one(p.window):
            window = only_window(p.window, p.channels)
            cells = window["rows"] * window["row_bytes"] // p.channels
            words = self.window.words(**window, **self._words(p, cells))
            constant = Constant(name, "uint32_t", rounding.words(words), 4, "the window")
            return Code(call=(f"{function.name}({arguments});",), constants=(constant,), assembler=(function,))
        walk, wanted = self._walk(p)
        values = np.array([*walk_words(p.window, p.channels), *wanted], np.int64).astype(np.int32)
        constant = Constant(name, "int32_t", values, 4, "windows")
        return Code(call=(f"{walk.name}({arguments});",), constants=(constant,), shared=(walk,), assembler=(function,))


@cache
def _max_assembly() -> Assembly:
    return emit_window(Larger())


@cache
def _max_function() -> AsmFunction:
    comment = (
        "The largest values of one window.\n\n"
        "window  te_max_window\n"
        "r4-r7 the largest so far, r8-r11 a cell: SSUB8 sets flags by which SEL takes the larger byte"
    )
    return _max_assembly().shared("te_max_window", PROTOTYPE, comment)


class MaxPool2D(_Pool2D):
    """int8 max pooling of four channels or more."""

    name = "armv7em/max_pool_2d"
    window = LARGER_WINDOW
    operators: ClassVar[tuple[str, ...]] = ("max_pool_2d",)

    def _assembly(self, p: Pool2D) -> Assembly:
        return _max_assembly()

    def _function(self, p: Pool2D) -> AsmFunction:
        return _max_function()

    def _words(self, p: Pool2D, cells: int) -> dict[str, int]:
        return {"low": (p.activation_min & 0xFF) * EACH_BYTE, "high": (p.activation_max & 0xFF) * EACH_BYTE}

    def _walk(self, p: Pool2D) -> tuple[SharedFunction, list[int]]:
        walk = walk_function("te_max_windows", _max_function(), self.window, {"low": "p[11]", "high": "p[12]"})
        return walk, [int(np.uint32(word).astype(np.int32)) for word in self._words(p, 0).values()]


@cache
def _average_assembly(low: int, high: int) -> Assembly:
    return emit_window(Average(low, high))


@cache
def _average_function(low: int, high: int) -> AsmFunction:
    comment = (
        "The means of one window.\n\nwindow  te_average_window\nr4-r11 sums in pairs of int16; r2, r3, r12, lr a cell"
    )
    return _average_assembly(low, high).shared("te_average_window", PROTOTYPE, comment)


class AveragePool2D(_Pool2D):
    """int8 average pooling of four channels or more in windows of up to 256 cells."""

    name = "armv7em/average_pool_2d"
    window = AVERAGE_WINDOW
    operators: ClassVar[tuple[str, ...]] = ("average_pool_2d",)

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := super().fits(layer, core):
            return reason
        p: Pool2D = layer.params
        cells = min(p.window.kernel_h, p.window.input_h) * min(p.window.kernel_w, p.window.input_w)
        return f"windows of {cells} cells; sums in 16 bits hold {MOST_CELLS}" if cells > MOST_CELLS else ""

    def _assembly(self, p: Pool2D) -> Assembly:
        return _average_assembly(p.activation_min, p.activation_max)

    def _function(self, p: Pool2D) -> AsmFunction:
        return _average_function(p.activation_min, p.activation_max)

    def _words(self, p: Pool2D, cells: int) -> dict[str, int]:
        return {"half": cells // 2, "inverse": inverse(cells)}

    def _walk(self, p: Pool2D) -> tuple[SharedFunction, list[int]]:
        wanted = {"half": "cells / 2", "inverse": "(1 << 30) / cells + 1"}
        return walk_function("te_average_windows", self._function(p), self.window, wanted), []


def inverse(cells: int) -> int:
    """The factor that divides 4 * sum by a number of cells."""
    return (1 << 30) // cells + 1


KERNELS: tuple[Kernel, ...] = (MaxPool2D(), AveragePool2D())
