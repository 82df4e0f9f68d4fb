"""Kernels for the layers of a group: which of those that fit some rows of a layer computes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from tinyedge.boards import Core
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Graph
from tinyedge.kernels.contract import Cost, Kernel
from tinyedge.ops.contract import Layer
from tinyedge.plan.flow import Flow
from tinyedge.plan.row_buffers import buffer_of, cell_bytes, read_in_place
from tinyedge.plan.rows import height, part_of
from tinyedge.plan.select import Candidate, find_candidates, serving_kernels
from tinyedge.plan.stream import SUM_CYCLES_PER_CELL, SUM_CYCLES_PER_OUTPUT, Part

Taste = Literal["fast", "even", "thrifty", "small"]
"""the fewest cycles; the fewest at a price for flash; the least scratch, or the least flash, of those with no more than
twice as many cycles"""
TASTES: tuple[Taste, ...] = ("fast", "even", "thrifty", "small")
_SUMS_CODE_BYTES = 240
_RANKS: dict[Taste, Callable[[Candidate, float], tuple[float, ...]]] = {
    "fast": lambda c, _: (c.cost.cycles, c.step.scratch_bytes),
    "even": lambda c, price: (c.cost.cycles + price * _flash(c.cost), c.cost.cycles),
    "thrifty": lambda c, _: (c.step.scratch_bytes, c.cost.cycles),
    "small": lambda c, _: (_flash(c.cost), c.cost.cycles),
}
"""of a candidate and the cycles that a byte of flash is worth in one call"""


def _flash(cost: Cost) -> int:
    return cost.code_bytes + cost.constant_bytes + sum(size for _, size in cost.shared_code)


class PartFinder:
    """Finds parts and remembers them: the same rows of a layer are asked for by many groups.

    cycles_a_byte  what a byte of flash is worth
    """

    def __init__(self, graph: Graph, core: Core, kernels: Sequence[Kernel] | None, cycles_a_byte: float) -> None:
        self._graph, self._core, self._kernels, self._cycles_a_byte = graph, core, kernels, cycles_a_byte
        self._candidates: dict[tuple[int, int, int | None], tuple[Layer, tuple[Candidate, ...]]] = {}
        self._parts: dict[tuple[int, int, int | None, Taste], Part] = {}

    def find(self, flow: Flow, first: int, taste: Taste) -> dict[tuple[int, int], Part] | None:
        """The parts of a group by position and rows of a call; None where some have no kernel."""
        found = {}
        for at in flow.layers:
            for rows in sorted(flow.runs[at]) if at >= first else ():
                part = self._part(flow, first, at, rows, taste)
                if part is None:
                    return None
                found[at, rows] = part
        return found

    def _part(self, flow: Flow, first: int, at: int, rows: int, taste: Taste) -> Part | None:
        layer = flow.layers[at]
        if flow.readings[at].kind == "sums":
            return _sums_part(self._graph, layer, rows)
        width = _width(flow, first, at)
        key = (layer.index, rows, width)
        if key not in self._candidates:
            self._candidates[key] = self._ask(layer, rows, width)
        part, candidates = self._candidates[key]
        if not candidates:
            return None
        if (*key, taste) not in self._parts:
            most, price = 2 * candidates[0].cost.cycles, self._cycles_a_byte * rows / height(layer.outputs[0])
            best = min((c for c in candidates if c.cost.cycles <= most), key=lambda c: _RANKS[taste](c, price))
            self._parts[*key, taste] = Part(
                part,
                best.kernel,
                best.cost,
                best.step.scratch_bytes,
                best.step.in_place_offsets,
                best.step.reads_behind,
            )
        return self._parts[*key, taste]

    def _ask(self, layer: Layer, rows: int, width: int | None) -> tuple[Layer, tuple[Candidate, ...]]:
        part = part_of(self._graph, layer, rows, width)
        try:
            found = find_candidates(part, self._core, serving_kernels(part, self._kernels))
        except ModelError:
            return part, ()
        return part, tuple(c for c in found.candidates if c.kernel.alignment <= 4)


def _width(flow: Flow, first: int, at: int) -> int | None:
    """Columns of the rows that a conv_2d is given with their border; None where it is given the image's own."""
    layer = flow.layers[at]
    if layer.name != "conv_2d":
        return None
    key = layer.inputs[0].index
    if flow.made_by.get(key, -1) < first and read_in_place(flow, key, first):
        return None
    buffer = buffer_of(flow, key, first)
    if buffer is None or buffer.pitch % cell_bytes(flow, key):
        return None
    return buffer.pitch // cell_bytes(flow, key)


def _sums_part(graph: Graph, layer: Layer, rows: int) -> Part:
    source = layer.inputs[0]
    share = SUM_CYCLES_PER_OUTPUT * source.shape[3] * rows // height(source)
    cycles = int(SUM_CYCLES_PER_CELL * rows * source.shape[2] * source.shape[3]) + share
    return Part(part_of(graph, layer, rows), None, Cost(cycles, 40, 0, (("te_rows", _SUMS_CODE_BYTES),)), 0)
