"""From chosen kernels to a plan: the arena laid out, and groups written down layer by layer, as reports want them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinyedge.artifacts import Buffer, NamedKernel, Optimize, Plan, PlannedGroup, PlannedLayer, RowsAt
from tinyedge.graph.ir import Graph
from tinyedge.kernels.contract import Cost
from tinyedge.plan.layout import lay_out, place_variables, state_bytes
from tinyedge.plan.liveness import Memory, find_memory, tensor_lifetimes
from tinyedge.plan.rows import height
from tinyedge.plan.select import Candidate, LayerCandidates
from tinyedge.plan.stream import Stream
from tinyedge.plan.stream_kernel import STEM, StreamKernel

SUMS = f"portable/{STEM}"
"""how reports name what adds up rows"""


def place_plan(
    graph: Graph,
    candidates: Sequence[LayerCandidates],
    chosen: Sequence[Candidate],
    optimize: Optimize,
    *,
    keep_inputs: bool,
) -> Plan:
    """Lay out the arena.

    candidates  of each layer, in order of execution
    chosen      for each layer, or each group of several in a row, in this order
    """
    return _Placing(graph, candidates, chosen, optimize, keep_inputs=keep_inputs).plan()


@dataclass(frozen=True)
class _Span:
    """The steps of a layer or group."""

    first: int
    last: int


class _Placing:
    """A plan while it is put together. Units are layers and groups; steps count layers."""

    def __init__(
        self,
        graph: Graph,
        candidates: Sequence[LayerCandidates],
        chosen: Sequence[Candidate],
        optimize: Optimize,
        *,
        keep_inputs: bool,
    ) -> None:
        self.graph, self.candidates, self.chosen = graph, candidates, chosen
        self.optimize, self.keep_inputs = optimize, keep_inputs
        self.spans: list[_Span] = []
        for candidate in chosen:
            first = self.spans[-1].last + 1 if self.spans else 0
            count = len(candidate.kernel.stream.layers) if isinstance(candidate.kernel, StreamKernel) else 1
            self.spans.append(_Span(first, first + count - 1))
        self.buffers: list[Buffer] = []
        self.state: list[Buffer] = []
        self.layers: list[PlannedLayer] = []
        self.groups: list[PlannedGroup] = []

    def plan(self) -> Plan:
        steps = [candidate.step for candidate in self.chosen]
        memory = find_memory(self.graph, [step.layer for step in steps], keep_inputs=self.keep_inputs)
        alignment = max((4, *(candidate.kernel.alignment for candidate in self.chosen)))
        arena = lay_out(memory, steps, alignment)
        self._place_tensors(memory, arena.offsets, place_variables(memory, alignment))
        for number in range(len(steps)):
            at = arena.layout.scratch_at.get(number)
            self._place_unit(number, None if at is None else arena.offsets[at])
        return Plan(
            graph=self.graph,
            layers=tuple(self.layers),
            buffers=tuple(self.buffers),
            state=tuple(self.state),
            state_bytes=state_bytes(memory, steps, alignment),
            arena_bytes=arena.bytes,
            lower_bound_bytes=arena.lower_bound_bytes,
            optimize=self.optimize,
            keeps_inputs=self.keep_inputs,
            groups=tuple(self.groups),
        )

    def _place_tensors(self, memory: Memory, offsets: Mapping[int, int], state_at: Mapping[int, int]) -> None:
        unit_layers = [candidate.step.layer for candidate in self.chosen]
        alive = tensor_lifetimes(self.graph, unit_layers, keep_inputs=self.keep_inputs)
        for at, storage in enumerate(memory.storages):
            for key in storage.tensors:
                offset, found = (state_at[at], self.state) if at in state_at else (offsets[at], self.buffers)
                first, last = (self.spans[unit] if self.spans else _Span(0, 0) for unit in alive[key])
                tensor = self.graph.tensors[key]
                found.append(Buffer(tensor.name, key, offset, tensor.bytes, first.first, last.last))

    def _place_unit(self, number: int, scratch_offset: int | None) -> None:
        candidate, span = self.chosen[number], self.spans[number]
        kernel, step = candidate.kernel, candidate.step
        scratch = None
        if scratch_offset is not None:
            name = f"scratch of operator {step.layer.index}"
            if isinstance(kernel, StreamKernel):
                name = f"rows of {len(kernel.stream.layers)} layers"
            scratch = Buffer(name, None, scratch_offset, step.scratch_bytes, span.first, span.last)
            self.buffers.append(scratch)
        if isinstance(kernel, StreamKernel):
            self._place_group(candidate, kernel.stream, span, scratch)
            return
        considered = self.candidates[span.first].considered
        offsets, behind = step.in_place_offsets, step.reads_behind
        self.layers.append(PlannedLayer(step.layer, kernel, candidate.cost, considered, scratch, offsets, behind))

    def _place_group(self, candidate: Candidate, stream: Stream, span: _Span, scratch: Buffer | None) -> None:
        for step, layer in enumerate(stream.layers, start=span.first):
            position = stream.first + step - span.first
            parts = [stream.parts[position, rows] for rows in sorted(stream.flow.runs[position])]
            names = dict.fromkeys(SUMS if part.kernel is None else part.kernel.name for part in parts)
            named = NamedKernel(", ".join(names) + " by rows")
            considered = self.candidates[step].considered
            self.layers.append(PlannedLayer(layer, named, stream.layer_cost(position), considered, None))
        calls = [placed.call for placed in stream.calls if placed.call.action == "run"]
        self.groups.append(
            PlannedGroup(
                span.first,
                span.last,
                candidate.step.layer,
                candidate.kernel,
                _glue(candidate.cost, self.layers[span.first :]),
                scratch,
                candidate.step.in_place_offsets,
                tuple(call.of - stream.first + span.first for call in calls),
                self._rows(stream, scratch.offset if scratch is not None else 0),
                candidate.step.reads_behind,
            )
        )

    def _rows(self, stream: Stream, strip_offset: int) -> tuple[RowsAt, ...]:
        """Where the rows of each layer of a group lie after each of its calls."""
        output_at = next(buffer.offset for buffer in self.buffers if buffer.tensor == stream.output)
        found = []
        for at, layer in stream.flow.layers.items():
            if at < stream.first:
                continue
            placed = [each for each in stream.calls if each.call.action == "run" and each.call.of == at]
            first, output = placed[0], layer.outputs[0]
            assert first.write is not None
            write = first.write
            if stream.flow.readings[at].kind == "sums":
                found.append(RowsAt(output_at, output.bytes, 0, 1, 1, 1, whole=True, silent=len(placed) - 1))
                continue
            most = max(each.call.count for each in placed)
            offset = output_at if write.whole else strip_offset + write.offset + write.rows * write.pitch
            found.append(RowsAt(offset, write.bytes, write.pitch, height(output), first.call.count, most, write.whole))
        return tuple(found)


def _glue(cost: Cost, layers: Sequence[PlannedLayer]) -> Cost:
    """What a group costs beside its layers."""
    return Cost(
        cost.cycles - sum(planned.cost.cycles for planned in layers),
        cost.code_bytes - sum(planned.cost.code_bytes for planned in layers),
        cost.constant_bytes - sum(planned.cost.constant_bytes for planned in layers),
    )
