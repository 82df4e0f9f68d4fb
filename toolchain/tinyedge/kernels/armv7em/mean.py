"""mean and sum of int8 over height and width: sums in pairs of int16, then the usual rescaling."""

from __future__ import annotations

import math
from functools import cache
from typing import ClassVar

from tinyedge.arithmetic.window import Window
from tinyedge.boards import Core
from tinyedge.kernels.armv7em import rounding
from tinyedge.kernels.armv7em.pool_reductions import MOST_CELLS, RESCALED_WINDOW, Rescaled
from tinyedge.kernels.armv7em.pool_windows import LEAST_CHANNELS, PROTOTYPE, emit_window, windows_ticks
from tinyedge.kernels.common.axes import merge_reduced
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Operands
from tinyedge.kernels.thumb.assembly import Assembly, doubled_multiplier, negated_divisor
from tinyedge.ops.contract import Layer
from tinyedge.ops.mean import Mean

CALL_TICKS = 12
CALL_BYTES = 20
LEAST_MULTIPLIER = 1 << 30


def _cells_and_channels(p: Mean) -> tuple[int, int] | None:
    """Cells and channels, when all reduced axes lie in front of all that are kept; None otherwise."""
    kept, reduced = merge_reduced(p.shape, p.axes)
    if len(kept) > 1 or len(reduced) != 1 or (kept and kept[0][1] != 1):
        return None
    return reduced[0][0], kept[0][0] if kept else 1


@cache
def _assembly(doubled: bool) -> Assembly:
    return emit_window(Rescaled(doubled))


@cache
def _function(doubled: bool) -> AsmFunction:
    comment = (
        "Rescaled sums of the cells of one window.\n\n"
        "window  te_mean_window\n"
        "r4-r11 sums in pairs of int16; r2, r3, r12, lr a cell"
    )
    return _assembly(doubled).shared("te_mean", PROTOTYPE, comment)


class MeanOverCells(Kernel):
    """int8 means and sums over the axes in front of the channels, at most 256 cells."""

    name = "armv7em/mean"
    operators: ClassVar[tuple[str, ...]] = ("mean", "sum")

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := rounding.runs_on(layer, core):
            return reason
        p: Mean = layer.params
        sizes = _cells_and_channels(p)
        if sizes is None:
            return "the axes reduced are not those in front of the ones kept"
        cells, channels = sizes
        if channels < LEAST_CHANNELS:
            return f"there are {channels} channels, the kernel takes at least {LEAST_CHANNELS}"
        if cells > MOST_CELLS:
            return f"it adds up {cells} cells; sums in 16 bits hold {MOST_CELLS}"
        return f"it is shifted left by {p.shift}, the kernel shifts to the right" if p.shift >= 0 else ""

    def _sizes(self, p: Mean) -> tuple[int, int]:
        sizes = _cells_and_channels(p)
        assert sizes is not None
        return sizes

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Mean = layer.params
        cells, channels = self._sizes(p)
        doubled = p.multiplier >= LEAST_MULTIPLIER
        asm = _assembly(doubled)
        window = Window(1, cells, 1, 1, 1, cells, 1, 1, 1, 1, 0, 0)
        ticks = windows_ticks(asm, window, channels)
        shared = (_function(doubled).name, asm.code_bytes)
        return Cost(ticks.cycles + CALL_TICKS, CALL_BYTES, 4 * 8, (shared,), instructions=ticks.instructions)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0: a channel is written when all its cells have been read, over the first of them."""
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Mean = layer.params
        cells, channels = self._sizes(p)
        doubled = p.multiplier >= LEAST_MULTIPLIER
        offset = -p.input_zero_point * math.prod(p.shape[axis] for axis in p.axes)
        multiplier = doubled_multiplier(p.multiplier) if doubled else 2 * p.multiplier
        words = RESCALED_WINDOW.words(
            rows=1,
            row_bytes=cells * channels,
            skip=0,
            channels=channels,
            offset=offset,
            multiplier=multiplier,
            divisor=negated_divisor(-p.shift),
            zero_point=p.output_zero_point,
        )
        constant = Constant(f"{operands.prefix}_window", "uint32_t", rounding.words(words), 4, "window and scales")
        function = _function(doubled)
        call = f"{function.name}({constant.name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), constants=(constant,), assembler=(function,))


KERNELS: tuple[Kernel, ...] = (MeanOverCells(),)
