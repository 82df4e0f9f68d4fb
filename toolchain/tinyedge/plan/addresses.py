"""Where the calls of a stream read and write: addresses in its strip, or in tensors that lie whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tinyedge.plan.flow import Call, Flow
from tinyedge.plan.row_buffers import RowBuffer, given_left
from tinyedge.plan.rows import row_bytes


@dataclass(frozen=True)
class Place:
    """Where rows lie: at `offset` of the strip, or, for a whole tensor, of that tensor, from its row `row` on."""

    tensor: int
    offset: int
    row: int
    rows: int
    pitch: int
    bytes: int
    """of a row without its border"""
    whole: bool


@dataclass(frozen=True)
class Slide:
    """Move `bytes` bytes of the strip from `to + by` to `to`."""

    to: int
    by: int
    bytes: int


@dataclass(frozen=True)
class PlacedCall:
    """A call with all its addresses.

    border  of `begin` and `border`: (offset in the strip, bytes, value) to fill
    """

    call: Call
    reads: tuple[Place, ...] = ()
    write: Place | None = None
    slide: Slide | None = None
    border: tuple[int, int, int] | None = None


def place_calls(
    flow: Flow, first: int, buffers: Mapping[int, RowBuffer], in_place: Mapping[int, int], loaded: frozenset[int]
) -> Iterator[PlacedCall]:
    """The calls of a flow's layers from `first` on, each with its addresses; the other arguments as in `Stream`."""
    return _Placer(flow, first, buffers, in_place, loaded).placed()


class _Placer:
    """Goes through the calls and says where everything lies."""

    def __init__(
        self,
        flow: Flow,
        first: int,
        buffers: Mapping[int, RowBuffer],
        in_place: Mapping[int, int],
        loaded: frozenset[int],
    ) -> None:
        self.flow, self.first, self.buffers, self.in_place, self.loaded = flow, first, buffers, in_place, loaded
        self.output = flow.layers[flow.last].outputs[0].index
        self.newest = dict.fromkeys(self.flow.tensors, -1)
        self.at: dict[int, tuple[int, int]] = {}
        """tensor in place -> (offset, first row) of its rows now"""

    def placed(self) -> Iterator[PlacedCall]:
        flow = self.flow
        for call in flow.calls:
            if call.action == "run":
                if call.of >= self.first:
                    yield self._run(call)
            elif call.of in self.buffers and (call.action != "load" or call.of in self.loaded):
                yield self._fill(call)
            elif call.action != "begin":
                self.newest[call.of] += 1
            if call.action == "run" and call.of < self.first:
                output = flow.layers[call.of].outputs[0].index
                # What an earlier layer computes in its flow lies whole here: its rows are loaded, or read in place.
                for row in range(call.first, call.first + call.count):
                    if output in self.loaded:
                        yield self._fill(Call("load", output, row))
                    else:
                        self.newest[output] += 1

    def _slide(self, tensor: int, rows: int) -> Slide | None:
        buffer = self.buffers[tensor]
        kept = (buffer.rows - rows) * buffer.pitch
        return Slide(buffer.at, rows * buffer.pitch, kept) if kept else None

    def _fill(self, call: Call) -> PlacedCall:
        buffer = self.buffers[call.of]
        if call.action == "begin":
            return PlacedCall(call, border=(buffer.at, buffer.bytes, self.flow.fill[call.of]))
        self.newest[call.of] += 1
        newest = buffer.at + (buffer.rows - 1) * buffer.pitch
        if call.action == "border":
            border = (newest, buffer.pitch, self.flow.fill[call.of])
            return PlacedCall(call, slide=self._slide(call.of, 1), border=border)
        size = row_bytes(self.flow.tensors[call.of])
        source = Place(call.of, call.first * size, call.first, 1, size, size, whole=True)
        target = Place(call.of, newest + buffer.left, call.first, 1, buffer.pitch, size, whole=False)
        return PlacedCall(call, (source,), target, self._slide(call.of, 1))

    def _run(self, call: Call) -> PlacedCall:
        layer, reading = self.flow.layers[call.of], self.flow.readings[call.of]
        sums = reading.kind == "sums"
        first = call.first if sums else reading.first_row(call.first)
        last = call.first + call.count - 1 if sums else reading.last_row(call.first + call.count - 1)
        reads = tuple(self._read(call.of, tensor.index, first, last) for tensor in layer.inputs)
        output = layer.outputs[0]
        if sums:
            size = output.bytes
            return PlacedCall(call, reads, Place(output.index, 0, 0, 1, size, size, whole=True))
        size, slide = row_bytes(output), None
        if output.index == self.output:
            write = Place(output.index, call.first * size, call.first, call.count, size, size, whole=True)
        elif output.index in self.in_place:
            source = next(place for place in reads if place.tensor == self.in_place[output.index])
            write = Place(output.index, source.offset, call.first, call.count, size, size, whole=False)
            self.at[output.index] = source.offset, call.first
        else:
            buffer = self.buffers[output.index]
            slide = self._slide(output.index, call.count)
            offset = buffer.at + (buffer.rows - call.count) * buffer.pitch + buffer.left
            write = Place(output.index, offset, call.first, call.count, buffer.pitch, size, whole=False)
        self.newest[output.index] = call.first + call.count - 1
        return PlacedCall(call, reads, write, slide)

    def _read(self, position: int, tensor: int, first: int, last: int) -> Place:
        size, rows = row_bytes(self.flow.tensors[tensor]), last - first + 1
        if tensor in self.at:
            offset, row = self.at[tensor]
            return Place(tensor, offset + (first - row) * size, first, rows, size, size, whole=False)
        if tensor not in self.buffers:
            return Place(tensor, first * size, first, rows, size, size, whole=True)
        buffer = self.buffers[tensor]
        slot = buffer.rows - 1 - (self.newest[tensor] - first)
        offset = buffer.at + slot * buffer.pitch + buffer.left - given_left(self.flow, position, tensor)
        return Place(tensor, offset, first, rows, buffer.pitch, size, whole=False)
