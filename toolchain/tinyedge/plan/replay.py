"""Replays every call of a group over a memory that knows of each byte whose it is: what a call reads must be there.

Nothing here trusts how rows were counted or offsets found: it sees addresses alone, as the generated code has them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from tinyedge.artifacts import Plan, PlannedGroup
from tinyedge.plan.addresses import Place, PlacedCall
from tinyedge.plan.row_buffers import cell_bytes, given_left
from tinyedge.plan.rows import height, row_bytes, window_reach
from tinyedge.plan.stream import Stream
from tinyedge.plan.stream_kernel import StreamKernel

_NOBODY = -1
_BORDER = -1000
"""less the value that the border is filled with"""


def replay_problems(plan: Plan, group: PlannedGroup) -> Iterator[str]:
    """What is wrong with a group, call by call; nothing when every byte is the right one."""
    if not isinstance(group.kernel, StreamKernel):
        yield f"steps {group.first}-{group.last} are a group, and `{group.kernel.name}` runs no group"
        return
    strip = group.scratch.offset if group.scratch is not None else 0
    size = group.scratch.bytes if group.scratch is not None else 0
    stream = group.kernel.stream
    whole = [key for key in stream.inputs if key not in stream.flow.arriving]
    places = {key: plan.buffer_of(key).offset for key in (*whole, stream.output)}
    yield from _Replay(stream, plan.arena_bytes, strip, size, places).problems()


class _Replay:
    """The arena while a group runs; each byte is numbered by the tensor's byte it holds."""

    def __init__(
        self, stream: Stream, arena_bytes: int, strip: int, strip_bytes: int, places: Mapping[int, int]
    ) -> None:
        self.stream, self.flow = stream, stream.flow
        self.strip, self.strip_bytes, self.places = strip, strip_bytes, places
        self.owners = np.full(arena_bytes, _NOBODY, np.int64)
        self.first_id: dict[int, int] = {}
        following = 0
        for key, tensor in self.flow.tensors.items():
            self.first_id[key] = following
            following += tensor.bytes
        for key in places.keys() & set(stream.inputs):
            start = places[key]
            self.owners[start : start + self.flow.tensors[key].bytes] = self._ids(key)

    def _ids(self, key: int) -> npt.NDArray[np.int64]:
        return np.arange(self.first_id[key], self.first_id[key] + self.flow.tensors[key].bytes)

    def problems(self) -> Iterator[str]:
        for number, placed in enumerate(self.stream.calls):
            for problem in self._call(placed):
                yield f"call {number} of the group that ends with `{self._name(self.stream.output)}`: {problem}"
        start = self.places[self.stream.output]
        ids = self._ids(self.stream.output)
        if not np.array_equal(self.owners[start : start + len(ids)], ids):
            yield f"`{self._name(self.stream.output)}` is not all there after its group"

    def _name(self, key: int) -> str:
        return self.flow.tensors[key].name

    def _address(self, place: Place) -> int:
        return place.offset + (self.places[place.tensor] if place.whole else self.strip)

    def _call(self, placed: PlacedCall) -> Iterator[str]:
        if placed.slide is not None:
            to, by, count = placed.slide.to + self.strip, placed.slide.by, placed.slide.bytes
            self.owners[to : to + count] = self.owners[to + by : to + by + count].copy()
        if placed.border is not None:
            offset, count, value = placed.border
            self.owners[self.strip + offset : self.strip + offset + count] = _BORDER - value
        at = placed.call.of
        scratch = range(0)
        if placed.call.action == "run" and at in self.stream.scratch:
            part = self.stream.parts[at, placed.call.count]
            begin = self.strip + self.stream.scratch[at]
            scratch = range(begin, begin + part.scratch_bytes)
            self.owners[scratch.start : scratch.stop] = _NOBODY
        for position, place in enumerate(placed.reads):
            if place.tensor in self.flow.arriving and place.whole:
                continue  # the row is given
            yield from self._strides(placed, position)
            given = given_left(self.flow, at, place.tensor) if placed.call.action == "run" else 0
            yield from self._read(place, given, with_border=given_border(self.stream, placed, place))
            yield from self._behind(placed, position)
        if placed.write is not None:
            yield from self._write(placed, placed.write, scratch)

    def _strides(self, placed: PlacedCall, position: int) -> Iterator[str]:
        """Rows must lie as far apart as the kernel takes them to."""
        call, place = placed.call, placed.reads[position]
        if call.action != "run" or place.rows == 1:
            return
        source = self.stream.parts[call.of, call.count].layer.inputs[position]
        if row_bytes(source) != place.pitch:
            name = self._name(place.tensor)
            yield f"rows of `{name}` lie {place.pitch:,} B apart, the kernel takes them {row_bytes(source):,} B apart"

    def _behind(self, placed: PlacedCall, position: int) -> Iterator[str]:
        """What a kernel reads behind its rows must be memory of the arena."""
        call, place = placed.call, placed.reads[position]
        if call.action != "run":
            return
        part = self.stream.parts[call.of, call.count]
        window = self.flow.readings[call.of].kind == "window"
        row = window_reach(part.layer) if window else place.bytes
        end = self._address(place) + (place.rows - 1) * place.pitch + row + part.reads_behind
        if end > len(self.owners):
            yield f"`{self._name(place.tensor)}` is read up to {end:,}, the arena has {len(self.owners):,} B"

    def _read(self, place: Place, given: int, *, with_border: bool) -> Iterator[str]:
        image = self.flow.tensors[place.tensor]
        size, ids = row_bytes(image), self._ids(place.tensor)
        border = _BORDER - self.flow.fill.get(place.tensor, 0)
        start = self._address(place)
        for row in range(place.row, place.row + place.rows):
            here = start + (row - place.row) * place.pitch
            inside = 0 <= row < height(image)
            wanted = ids[row * size : (row + 1) * size] if inside else np.full(size, border)
            found = self.owners[here + given : here + given + size]
            beside = self.owners[here : here + place.pitch] if with_border else found
            around = (beside == border) | ((beside >= ids[0]) & (beside <= ids[-1]))
            if not np.array_equal(found, wanted) or not np.all(around):
                yield f"row {row} of `{image.name}` is read at {here + given:,} and is not there"

    def _write(self, placed: PlacedCall, place: Place, scratch: range) -> Iterator[str]:
        image = self.flow.tensors[place.tensor]
        sums = placed.call.action == "run" and self.flow.readings[placed.call.of].kind == "sums"
        if sums:
            rows = height(self.flow.layers[placed.call.of].inputs[0])
            if placed.call.first + placed.call.count < rows:
                return
        if place.rows > 1 and place.pitch != place.bytes:
            yield f"rows of `{image.name}` are written {place.pitch:,} B apart, kernels leave no gaps"
        start = self._address(place)
        limit = self.strip + self.strip_bytes if not place.whole else len(self.owners)
        lowest = self.strip if not place.whole else 0
        for row in range(place.rows):
            here = start + row * place.pitch
            if here < lowest or here + place.bytes > limit:
                yield f"row {place.row + row} of `{image.name}` is written outside its memory"
            if here < scratch.stop and here + place.bytes > scratch.start:
                yield f"row {place.row + row} of `{image.name}` is written over its kernel's scratch"
            begin = 0 if sums else (place.row + row) * place.bytes
            self.owners[here : here + place.bytes] = self._ids(place.tensor)[begin : begin + place.bytes]
        for read in placed.reads:
            if read.whole and read.tensor not in self.places:
                continue
            in_place = self.stream.in_place.get(place.tensor) == read.tensor
            ends = self._address(read) + (read.rows - 1) * read.pitch + read.bytes
            stop = start + (place.rows - 1) * place.pitch + place.bytes
            if not in_place and not (read.whole and place.whole) and start < ends and stop > self._address(read):
                yield f"`{image.name}` is written over the rows of `{self._name(read.tensor)}` that it is made of"


def given_border(stream: Stream, placed: PlacedCall, place: Place) -> bool:
    """Whether a call reads the border beside rows, too."""
    flow, at = stream.flow, placed.call.of
    if placed.call.action != "run" or place.whole or flow.layers[at].name != "conv_2d":
        return False
    return flow.readings[at].beside and place.pitch % cell_bytes(flow, place.tensor) == 0
