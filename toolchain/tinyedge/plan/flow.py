"""Layers that run as one stream of rows: which layer computes which rows when, and how many rows wait in between.

The last layer asks for rows; a layer that is asked for a row first asks for those that its window lacks ("pull"), so
every row is computed once, as late as possible. Of a tensor inside there is a sliding buffer of as many rows as its
readers look back on: a new row moves the others up. Rows of the border come as rows of their own.

One flow serves all groups that end with the same layer: one that starts later has the same calls without those of the
layers before it, and what these computed lies whole in memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Literal

from tinyedge.graph.ir import Graph, Tensor
from tinyedge.ops.contract import Layer
from tinyedge.plan.rows import Reading, border_byte, height, reading_of

MOST_ROWS = 4
"""rows that one call computes at most"""
Action = Literal["begin", "border", "load", "run"]


@dataclass(frozen=True)
class Call:
    """One entry in the order of a stream.

    action  begin   fill the buffer of tensor `of` with its border
            border  a row of the border enters the buffer of tensor `of`
            load    a row of tensor `of`, which lies whole in memory, enters its buffer
            run     the layer at position `of` computes `count` rows from row `first` on; of a layer that sums, takes
                    as many rows of its input
    back    of `run`, for each input how many rows the first one it takes lies behind the newest in its buffer
    """

    action: Action
    of: int
    first: int = 0
    count: int = 1
    back: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Flow:
    """The calls of layers `first` to `last` of an order of execution, and what waits between them.

    layers    by position, those of the flow alone
    made_by   tensor -> position of the layer that computes it
    rows      tensor -> rows of its buffer
    fill      tensor -> what its border is filled with; without an entry no reader looks beyond the image
    columns   tensor -> columns to its left, and in all, where a reader wants the border beside its rows given
    spans     tensor -> calls at which its buffer holds something, as a set of bits
    pieces    tensor -> whether its readers take several rows in one piece
    arriving  tensors whose rows are given one by one, and are nowhere whole
    """

    layers: Mapping[int, Layer]
    readings: Mapping[int, Reading]
    last: int
    calls: tuple[Call, ...]
    tensors: Mapping[int, Tensor]
    made_by: Mapping[int, int]
    rows: Mapping[int, int]
    fill: Mapping[int, int]
    columns: Mapping[int, tuple[int, int]]
    spans: Mapping[int, int]
    pieces: Mapping[int, bool]
    arriving: frozenset[int] = frozenset()

    def readers(self, tensor: int, first: int) -> list[int]:
        """Positions of the layers from `first` on that read a tensor."""
        return [at for at in self._readers.get(tensor, ()) if at >= first]

    @cached_property
    def _readers(self) -> Mapping[int, list[int]]:
        found: dict[int, list[int]] = {}
        for at, layer in self.layers.items():
            for key in dict.fromkeys(tensor.index for tensor in layer.inputs):
                found.setdefault(key, []).append(at)
        return found

    @cached_property
    def calls_of(self) -> Mapping[int, tuple[tuple[int, Call], ...]]:
        """Position -> the calls of the layer, with their numbers."""
        found: dict[int, list[tuple[int, Call]]] = {at: [] for at in self.layers}
        for number, call in enumerate(self.calls):
            if call.action == "run":
                found[call.of].append((number, call))
        return {at: tuple(calls) for at, calls in found.items()}

    @cached_property
    def loads(self) -> Mapping[int, tuple[tuple[int, Call], ...]]:
        """Tensor that no layer of the flow computes -> the calls that load its rows, with their numbers."""
        found: dict[int, list[tuple[int, Call]]] = {}
        for number, call in enumerate(self.calls):
            if call.action == "load":
                found.setdefault(call.of, []).append((number, call))
        return {tensor: tuple(calls) for tensor, calls in found.items()}

    @cached_property
    def runs(self) -> Mapping[int, Counter[int]]:
        """Position -> rows of a call -> how many calls of the layer compute so many."""
        return {at: Counter(call.count for _, call in calls) for at, calls in self.calls_of.items()}

    @cached_property
    def run_kinds(self) -> Mapping[int, frozenset[tuple[int, tuple[int, ...]]]]:
        """Position -> (rows of a call, how far back its inputs lie) of all calls of the layer."""
        return {at: frozenset((call.count, call.back) for _, call in calls) for at, calls in self.calls_of.items()}

    @cached_property
    def run_bits(self) -> Mapping[int, int]:
        """Position -> the calls of the layer, as a set of bits."""
        return {at: sum(1 << number for number, _ in calls) for at, calls in self.calls_of.items()}

    @cached_property
    def push_bits(self) -> Mapping[int, int]:
        """Tensor -> the calls at which rows enter its buffer."""
        found = dict.fromkeys(self.tensors, 0)
        for number, call in enumerate(self.calls):
            if call.action != "run":
                found[call.of] |= 1 << number
        for tensor, at in self.made_by.items():
            if self.readings[at].kind != "sums":
                found[tensor] |= self.run_bits[at]
        return found

    @cached_property
    def borders(self) -> Counter[int]:
        """Tensor -> rows of border that enter its buffer."""
        return Counter(call.of for call in self.calls if call.action == "border")


def bits(first: int, last: int) -> int:
    """The set of the calls from `first` to `last`."""
    return ((1 << (last - first + 1)) - 1) << first


def make_flow(graph: Graph, layers: Sequence[Layer], first: int, last: int, rows: int) -> Flow | None:
    """The flow of layers `first` to `last`; None where they cannot run by rows together.

    rows  0: one row a call everywhere; else so many rows of the last output a call, and above as many as these take
    """
    return _find_flow(graph, tuple(layers[first : last + 1]), first, rows)


@lru_cache(maxsize=512)
def _find_flow(graph: Graph, layers: tuple[Layer, ...], first: int, rows: int) -> Flow | None:
    """As `make_flow`: no core matters, so that plans of one graph for several have their flows in common."""
    inside, last = dict(enumerate(layers, start=first)), first + len(layers) - 1
    readings = {at: reading for at, layer in inside.items() if (reading := reading_of(layer)) is not None}
    if len(readings) < len(inside):
        return None
    draft = _Draft(graph, inside, readings, last, rows)
    if not draft.find_borders():
        return None
    draft.pull()
    return Flow(
        inside,
        readings,
        last,
        tuple(draft.calls),
        draft.tensors,
        draft.made_by,
        draft.rows,
        draft.fill,
        draft.columns,
        draft.find_spans(),
        draft.pieces,
        frozenset(graph.inputs) & graph.borrowed,
    )


class _Draft:
    """A flow while it is put together."""

    def __init__(
        self, graph: Graph, layers: Mapping[int, Layer], readings: Mapping[int, Reading], last: int, rows: int
    ) -> None:
        self.graph, self.layers, self.readings, self.last = graph, layers, readings, last
        self.calls: list[Call] = []
        self.tensors = {t.index: t for layer in layers.values() for t in (*layer.inputs, *layer.outputs)}
        self.made_by = {layer.outputs[0].index: at for at, layer in layers.items()}
        self.newest = dict.fromkeys(self.tensors, -1)
        self.rows = dict.fromkeys(self.tensors, 1)
        self.fill: dict[int, int] = {}
        self.columns: dict[int, tuple[int, int]] = {}
        self.pieces = dict.fromkeys(self.tensors, False)
        self.at_once = self._rows_a_call(rows)

    def _rows_a_call(self, rows: int) -> dict[int, int]:
        """Tensor -> rows of it that one call computes."""
        at_once = dict.fromkeys(self.tensors, 1)
        at_once[self.layers[self.last].outputs[0].index] = max(rows, 1)
        for at in sorted(self.layers, reverse=True) if rows else ():
            reading, output = self.readings[at], self.layers[at].outputs[0].index
            wanted = max(rows, 1) if reading.kind == "sums" else min(MOST_ROWS, at_once[output] * reading.step)
            for tensor in self.layers[at].inputs:
                at_once[tensor.index] = max(at_once[tensor.index], wanted)
        return at_once

    def find_borders(self) -> bool:
        """Find what lies around the tensors that are read; whether all readers of each agree on it."""
        for at, layer in self.layers.items():
            reading = self.readings[at]
            if reading.kind != "window":
                continue
            source, output = layer.inputs[0], layer.outputs[0]
            outside = reading.above > 0 or reading.last_row(height(output) - 1) >= height(source)
            given_beside = reading.beside and layer.name == "conv_2d"
            if outside or given_beside:
                byte = border_byte(self.graph, source, layer)
                if byte is None or self.fill.setdefault(source.index, byte) != byte:
                    return False
            if given_beside:
                w = layer.params.window
                left, width = self.columns.get(source.index, (0, source.shape[2]))
                reach = (w.output_w - 1) * w.stride_w + (w.kernel_w - 1) * w.dilation_w + 1
                wider = max(left, w.pad_left)
                after = max(width - left - source.shape[2], reach - w.pad_left - source.shape[2], 0)
                self.columns[source.index] = (wider, wider + source.shape[2] + after)
        return True

    def pull(self) -> None:
        """Ask for all rows of the last output."""
        layer = self.layers[self.last]
        output = layer.outputs[0].index
        if self.readings[self.last].kind == "sums":
            source = layer.inputs[0]
            for row in range(0, height(source), self.at_once[source.index]):
                self._run(self.last, row, min(self.at_once[source.index], height(source) - row))
            return
        while self.newest[output] < height(layer.outputs[0]) - 1:
            self._push(output, min(self.newest[output] + self.at_once[output], height(layer.outputs[0]) - 1))
        for at, each in self.layers.items():  # a stride may pass over the last rows; reports want them all
            if at != self.last:
                self._need(each.outputs[0].index, height(each.outputs[0]) - 1)

    def _need(self, tensor: int, row: int) -> None:
        while self.newest[tensor] < row:
            self._push(tensor, row)

    def _push(self, tensor: int, asked: int) -> None:
        """The next rows of a tensor, towards row `asked`."""
        following = self.newest[tensor] + 1
        if following == 0 and tensor in self.fill:
            self.calls.append(Call("begin", tensor))
        left = height(self.tensors[tensor]) - following
        if left <= 0:
            self.calls.append(Call("border", tensor, following))
            self.newest[tensor] += 1
        elif tensor not in self.made_by:
            self.calls.append(Call("load", tensor, following))
            self.newest[tensor] += 1
        else:
            at_once = self.at_once[tensor]
            # After the first call all others compute equally many rows, so that what is asked for ends with a call.
            count = ((asked + 1) % at_once or at_once) if following == 0 else at_once
            self._run(self.made_by[tensor], following, min(count, left))

    def _run(self, at: int, first: int, count: int) -> None:
        reading, layer = self.readings[at], self.layers[at]
        sums = reading.kind == "sums"
        taken = (first, first + count - 1) if sums else (reading.first_row(first), reading.last_row(first + count - 1))
        for tensor in layer.inputs:
            self._need(tensor.index, taken[1])
        back = []
        for tensor in layer.inputs:
            behind = self.newest[tensor.index] - taken[0]
            back.append(behind)
            self.rows[tensor.index] = max(self.rows[tensor.index], behind + 1)
            self.pieces[tensor.index] |= taken[1] > taken[0] and layer.name != "conv_2d"
        self.calls.append(Call("run", at, first, count, tuple(back)))
        if not sums:
            output = layer.outputs[0].index
            self.rows[output] = max(self.rows[output], count)
            self.newest[output] = first + count - 1

    def find_spans(self) -> dict[int, int]:
        """When the buffer of each tensor is in use: always, or where no row outlasts the next one, now and then."""
        pushed: dict[int, list[int]] = {key: [] for key in self.tensors}
        read: dict[int, list[int]] = {key: [] for key in self.tensors}
        most = dict.fromkeys(self.tensors, 1)
        for number, call in enumerate(self.calls):
            if call.action != "run":
                pushed[call.of].append(number)
                continue
            layer = self.layers[call.of]
            for tensor in layer.inputs:
                read[tensor.index].append(number)
            if self.readings[call.of].kind != "sums":
                pushed[layer.outputs[0].index].append(number)
                most[layer.outputs[0].index] = max(most[layer.outputs[0].index], call.count)
        spans = {}
        for key in self.tensors:
            first, last = (pushed[key] or [0])[0], max(read[key] or [0])
            spans[key] = bits(first, max(first, last))
            if key not in self.fill and self.rows[key] == most[key]:
                starts = [*pushed[key], len(self.calls)]
                ends = [
                    max((at for at in read[key] if start <= at < following), default=start)
                    for start, following in pairwise(starts)
                ]
                spans[key] = sum(bits(start, end) for start, end in zip(starts, ends, strict=False))
        return spans
