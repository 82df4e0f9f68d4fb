"""Which layers run as one stream of rows: covers of the order of execution by single layers and groups.

An option is a kernel for one layer, or a stream for several in a row, with what its step needs of memory. For a budget
of bytes the cheapest cover of all layers is found by dynamic programming. In-place offsets add up along a chain, which
no single step shows, so covers are rated by arenas that are really laid out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tinyedge.boards import Core
from tinyedge.graph.ir import Graph
from tinyedge.kernels.contract import Kernel
from tinyedge.ops.contract import Layer
from tinyedge.plan.flow import Flow, make_flow
from tinyedge.plan.layout import lay_out, state_bytes
from tinyedge.plan.liveness import (
    Memory,
    Step,
    aligned,
    find_memory,
    input_in_place_offsets,
    lifetimes,
    saved_bytes,
)
from tinyedge.plan.parts import TASTES, PartFinder
from tinyedge.plan.row_buffers import ALIGNMENT
from tinyedge.plan.rows import reading_of
from tinyedge.plan.select import FIRMWARE_FLASH_BYTES, Candidate, LayerCandidates, describe_cost, flash_of
from tinyedge.plan.stream import Stream, make_stream
from tinyedge.plan.stream_kernel import StreamKernel, stream_layer

LONGEST = 30
"""layers of a group"""
LOW_LAYERS = 2
"""layers of a group in front of and behind those that need the most, where several rows a call are tried"""
ROWS_A_CALL = (0, 1, 2)
"""0: one row everywhere; 1 and 2: so many of the last layer's, and above as many as these take"""
BUDGETS = 24
"""sizes of the arena for which covers are looked for"""
_WORK = 60_000
"""of laying out an arena in the loop"""


@dataclass(frozen=True, eq=False)
class Option:
    """A way to run the layers at positions `first` to `last` of the order of execution."""

    first: int
    last: int
    need_bytes: int
    """what is alive while it runs, less what may overlap"""
    candidate: Candidate

    @property
    def cycles(self) -> int:
        return self.candidate.cost.cycles

    @property
    def flash_bytes(self) -> int:
        """Without code that layers share."""
        return self.candidate.cost.code_bytes + self.candidate.cost.constant_bytes


Asked = tuple[object, ...]
"""all that the arena depends on, of one option"""
Cover = tuple[Option, ...]
"""options that run every layer once, in order"""


class Groups:
    """The options of a graph in one order of execution, and covers by them.

    candidates  of each layer, in order of execution
    """

    def __init__(
        self,
        graph: Graph,
        core: Core,
        candidates: Sequence[LayerCandidates],
        kernels: Sequence[Kernel] | None,
        *,
        keep_inputs: bool,
    ) -> None:
        self.graph, self.core, self.candidates, self.keep_inputs = graph, core, candidates, keep_inputs
        self.layers = [each.layer for each in candidates]
        self.memory = find_memory(graph, self.layers, keep_inputs=keep_inputs)
        self.spans = lifetimes(self.memory, range(len(self.layers)))
        self.alignment = max((ALIGNMENT, *(c.kernel.alignment for each in candidates for c in each.candidates)))
        self._finder = PartFinder(graph, core, kernels, _cycles_a_byte(candidates))
        self._arenas: dict[tuple[Asked, ...], int] = {}

    @cached_property
    def options(self) -> tuple[Option, ...]:
        """Those that no other of the same layers beats in memory, cycles and flash."""
        found = [
            Option(at, at, self._need(at, at, candidate.step), candidate)
            for at, each in enumerate(self.candidates)
            for candidate in each.candidates
            if not self._takes_arriving(at)
        ]
        needs = [math.inf] * len(self.layers)
        for option in found:
            needs[option.first] = min(needs[option.first], option.need_bytes)
        starts = {last: list(self._starts(last)) for last in range(len(self.layers)) if self._by_rows[last]}
        found += self._streams(0, needs, self._floor(needs, starts), starts, LONGEST)
        least = _least_budget(found, len(self.layers))
        for rows in ROWS_A_CALL[1:]:
            found += self._streams(rows, needs, least, starts, LOW_LAYERS)
        by_place: dict[tuple[int, int], list[Option]] = {}
        for option in found:
            by_place.setdefault((option.first, option.last), []).append(option)
        return tuple(option for same in by_place.values() for option in _unbeaten(same))

    # -- memory ------------------------------------------------------------------------------------------------------

    def _need(self, first: int, last: int, step: Step) -> int:
        """What is alive while these layers run: what is theirs alone is in the scratch of the step."""
        memory = self.memory
        output = memory.of_tensor.get(step.layer.outputs[0].index, -1) if step.layer.outputs else -1
        total = aligned(step.scratch_bytes, self.alignment)
        for at, (storage, (begin, end)) in enumerate(zip(memory.storages, self.spans, strict=True)):
            if storage.variable or begin > last or end < first:
                continue
            inside = begin >= first and end <= last and not (storage.from_start or storage.to_end)
            if inside and last > first and at != output:
                continue
            total += aligned(storage.bytes, self.alignment)
        if output < 0 or len(step.layer.outputs) != 1 or self.spans[output][0] < first:
            return total
        pairs = [
            (aligned(memory.storages[source].bytes, self.alignment), aligned(offset, self.alignment))
            for source, offset in input_in_place_offsets(memory, step).items()
            if offset is not None and first <= self.spans[source][1] <= last and not memory.storages[source].to_end
        ]
        return total - saved_bytes(aligned(memory.storages[output].bytes, self.alignment), pairs)

    def _least_need(self, first: int, last: int) -> int:
        """What a group needs at least: its scratch none, its output wholly over what dies."""
        flow_layer = self.layers[last]
        keys = self._outside(first, last)
        tensors = {t.index: t for at in range(first, last + 1) for t in self.layers[at].inputs}
        stand_in = Layer(flow_layer.operator, None, tuple(tensors[key] for key in keys), flow_layer.outputs, 0)
        return self._need(first, last, Step(stand_in, 0, (0,) * len(keys)))

    def _outside(self, first: int, last: int) -> tuple[int, ...]:
        made = {t.index for at in range(first, last + 1) for t in self.layers[at].outputs}
        read = [t.index for at in range(first, last + 1) for t in self.layers[at].inputs]
        return tuple(dict.fromkeys(key for key in read if key not in made))

    # -- options -----------------------------------------------------------------------------------------------------

    @cached_property
    def _by_rows(self) -> list[bool]:
        return [reading_of(layer) is not None for layer in self.layers]

    def _starts(self, last: int) -> Iterator[int]:
        """Where groups that end with a layer can start, from the end on: what they compute inside is read inside."""
        readers: dict[int, list[int]] = {}
        for at, layer in enumerate(self.layers):
            for tensor in layer.inputs:
                readers.setdefault(tensor.index, []).append(at)
        kept = {*self.graph.outputs, *self.graph.borrowed}
        for first in range(last, max(last - LONGEST, -1), -1):
            if not self._by_rows[first]:
                return
            if first < last:
                reading = reading_of(self.layers[first])
                output = self.layers[first].outputs[0].index
                seen = readers.get(output, [])
                if (reading is not None and reading.kind == "sums") or output in kept or not seen or max(seen) > last:
                    return
            yield first

    def _streams(
        self, rows: int, needs: Sequence[float], floor: float, starts: Mapping[int, Sequence[int]], low_layers: int
    ) -> Iterator[Option]:
        """All groups that hold a layer whose need is above `floor`, with few others in front of and behind them."""
        for last, firsts in starts.items():
            high = [at for at in range(firsts[-1], last + 1) if needs[at] > floor]
            if not high or last - high[-1] > low_layers:
                continue
            flow = make_flow(self.graph, self.layers, firsts[-1], last, rows)
            for first in firsts if flow is not None else ():
                inside = [at for at in high if at >= first]
                if inside and inside[0] - first <= low_layers:
                    assert flow is not None
                    yield from self._options_of(flow, first, rows)

    def _floor(self, needs: Sequence[float], starts: Mapping[int, Sequence[int]]) -> float:
        """A size that no cover goes below: the best one if groups needed nothing inside."""
        best = [0.0]
        for last in range(len(self.layers)):
            reached = max(best[last], needs[last])
            for first in starts.get(last, ()):
                if best[first] < reached:
                    reached = min(reached, max(best[first], self._least_need(first, last)))
            best.append(reached)
        return best[-1]

    def _options_of(self, flow: Flow, first: int, rows: int) -> Iterator[Option]:
        seen = set()
        for taste in TASTES:
            parts = self._finder.find(flow, first, taste)
            if parts is None:
                return
            key = tuple(part.kernel for part in parts.values())
            if key in seen:
                continue
            seen.add(key)
            stream = make_stream(flow, first, parts)
            if stream is None or not self._alone(stream):
                return
            yield self._option(stream, f"stream/{taste}_{rows}")

    @cached_property
    def _arriving(self) -> frozenset[int]:
        """The inputs whose rows are given one by one."""
        return frozenset(self.graph.inputs) & self.graph.borrowed

    @property
    def is_impossible(self) -> bool:
        """Whether no cover runs every layer."""
        return _cheapest(self._by_end, len(self.layers), math.inf, 0.0) is None

    @property
    def arrives(self) -> bool:
        """Whether the rows of an input are given one by one."""
        return bool(self._arriving)

    def _takes_arriving(self, at: int) -> bool:
        return any(tensor.index in self._arriving for tensor in self.layers[at].inputs)

    def _alone(self, stream: Stream) -> bool:
        """Whether a group that takes rows as they arrive reads nothing else, and nobody else reads them."""
        if not self._arriving.intersection(stream.inputs):
            return True
        readers = [at for at in range(len(self.layers)) if self._takes_arriving(at)]
        return len(stream.inputs) == 1 and stream.first == 0 and max(readers) <= stream.last

    def _option(self, stream: Stream, name: str) -> Option:
        kernel, layer = StreamKernel(stream, name), stream_layer(stream)
        offsets = tuple(kernel.in_place_offset(layer, self.core, at) for at in range(len(layer.inputs)))
        step = Step(layer, stream.strip_bytes, offsets, stream.reads_behind)
        candidate = Candidate(kernel, stream.cost, step)
        return Option(stream.first, stream.last, self._need(stream.first, stream.last, step), candidate)

    # -- covers ------------------------------------------------------------------------------------------------------

    def cheapest(self, budget_bytes: int, cycles_a_byte: float = 0.0) -> Cover | None:
        """The cover whose steps need no more than the budget, of the lowest price; None where there is none.

        cycles_a_byte  price of a byte of flash
        """
        return _cheapest(self._by_end, len(self.layers), budget_bytes, cycles_a_byte)

    @cached_property
    def _by_end(self) -> list[Option]:
        return _by_end(self.options)

    @cached_property
    def budgets(self) -> tuple[int, ...]:
        """From the least that some cover needs to what the fastest one needs, evenly by ratio."""
        needs = sorted({option.need_bytes for option in self.options})
        least = _least_budget(self.options, len(self.layers))
        fastest = self.cheapest(needs[-1])
        assert fastest is not None
        top = max(option.need_bytes for option in fastest)
        between = [need for need in needs if least <= need <= top]
        if len(between) <= BUDGETS:
            return tuple(between)
        ratio = (top / least) ** (1 / (BUDGETS - 1))
        wanted = [least * ratio**step for step in range(BUDGETS)]
        return tuple(sorted({max(need for need in between if need <= size + 1) for size in wanted} | {top}))

    @cached_property
    def state_bytes(self) -> int:
        """What variables take beside the arena at most, whatever kernels read them."""
        steps = [candidate.step for each in self.candidates for candidate in each.candidates]
        return state_bytes(self.memory, steps, self.alignment)

    def cover_of(self, chosen: Sequence[Candidate]) -> Cover:
        """The cover by these candidates, in order of execution."""
        found, at = [], 0
        for candidate in chosen:
            kernel = candidate.kernel
            last = at if not isinstance(kernel, StreamKernel) else kernel.stream.last
            found.append(Option(at, last, self._need(at, last, candidate.step), candidate))
            at = last + 1
        return tuple(found)

    def candidates_in(self, cover: Cover) -> tuple[Candidate, ...]:
        """The candidates of a cover, in order of execution."""
        return tuple(option.candidate for option in cover)

    def memory_of(self, cover: Cover) -> Memory:
        """Storage when the layers of each option are one layer."""
        layers = [option.candidate.step.layer for option in cover]
        return find_memory(self.graph, layers, keep_inputs=self.keep_inputs)

    def arena_bytes(self, cover: Cover) -> int:
        """The arena of a cover, laid out; remembered for all covers that ask the same of memory."""
        key = tuple(_asks(option) for option in cover)
        if key not in self._arenas:
            memory, steps = self.memory_of(cover), [option.candidate.step for option in cover]
            self._arenas[key] = lay_out(memory, steps, self.alignment, work=_WORK).bytes
        return self._arenas[key]

    @staticmethod
    def least_bytes(cover: Cover) -> int:
        """What no arena of a cover goes below."""
        return max(option.need_bytes for option in cover)

    def candidates_of(self, cover: Cover) -> tuple[LayerCandidates, ...]:
        """For each option of a cover all there is to choose from for its layers."""
        by_place: dict[tuple[int, int], list[Option]] = {}
        for option in self.options:
            by_place.setdefault((option.first, option.last), []).append(option)
        found = []
        for option in cover:
            if option.first == option.last and not isinstance(option.candidate.kernel, StreamKernel):
                found.append(self.candidates[option.first])
                continue
            same = [o for o in by_place[option.first, option.last] if isinstance(o.candidate.kernel, StreamKernel)]
            same.sort(key=lambda o: (o.cycles, o.flash_bytes, o.candidate.kernel.name))
            layer = same[0].candidate.step.layer
            ways = tuple(Candidate(o.candidate.kernel, o.candidate.cost, _of(layer, o.candidate.step)) for o in same)
            found.append(LayerCandidates(layer, ways, tuple((c.kernel.name, describe_cost(c)) for c in ways)))
        return tuple(found)


def _asks(option: Option) -> Asked:
    step, by_rows = option.candidate.step, isinstance(option.candidate.kernel, StreamKernel)
    offsets = tuple((type(offset), offset) for offset in step.in_place_offsets)
    return option.first, option.last, by_rows, step.scratch_bytes, step.reads_behind, offsets


def _cycles_a_byte(layers: Sequence[LayerCandidates]) -> float:
    """What a byte of flash is worth where one percent of either is worth one percent of the other."""
    fastest = [each.candidates[0].cost for each in layers if each.candidates]
    cycles, flash = (sum(figures) for figures in zip(*((c.cycles, c.constant_bytes) for c in fastest), strict=True))
    return float(cycles / (flash + FIRMWARE_FLASH_BYTES))


def _by_end(options: Sequence[Option]) -> list[Option]:
    return sorted(options, key=lambda option: (option.last, -option.first))


def _cheapest(options: Sequence[Option], layers: int, budget_bytes: float, cycles_a_byte: float) -> Cover | None:
    """As `Groups.cheapest`, of options in the order of `_by_end`."""
    prices: list[float | None] = [0.0] + [None] * layers
    ways: list[Option | None] = [None] * (layers + 1)
    for option in options:
        before = prices[option.first]
        if option.need_bytes > budget_bytes or before is None:
            continue
        price = before + option.cycles + cycles_a_byte * option.flash_bytes
        known = prices[option.last + 1]
        if known is None or price < known:
            prices[option.last + 1], ways[option.last + 1] = price, option
    if prices[-1] is None:
        return None
    found: list[Option] = []
    at = layers
    while at > 0:
        way = ways[at]
        assert way is not None
        found.insert(0, way)
        at = way.first
    return tuple(found)


def _least_budget(options: Sequence[Option], layers: int) -> int:
    """The fewest bytes that the steps of some cover need."""
    ordered = _by_end(options)
    needs = sorted({option.need_bytes for option in options}) or [0]
    low, high = 0, len(needs) - 1
    while low < high:
        middle = (low + high) // 2
        reached = _cheapest(ordered, layers, needs[middle], 0.0) is not None
        low, high = (low, middle) if reached else (middle + 1, high)
    return needs[low]


def _of(layer: Layer, step: Step) -> Step:
    """The step, of the layer that stands for the same group."""
    return Step(layer, step.scratch_bytes, step.in_place_offsets, step.reads_behind)


def _unbeaten(options: Sequence[Option]) -> list[Option]:
    """Those than which no other is as good in memory, cycles and flash, what its layers share counted once."""
    flash = {option: flash_of([option.candidate]) for option in options}
    kept: list[Option] = []
    for option in sorted(options, key=lambda o: (o.need_bytes, o.cycles, flash[o], o.candidate.kernel.name)):
        if not any(other.cycles <= option.cycles and flash[other] <= flash[option] for other in kept):
            kept.append(option)
    return kept
