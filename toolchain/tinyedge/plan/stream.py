"""A group of layers as one stream of rows: where its sliding buffers lie, and every call of it with its addresses.

Everything that waits inside lies in one piece of scratch, the strip: buffers of rows, and scratch of the kernels,
packed by the calls at which they are in use. Tensors that the group reads from outside and its output lie whole in the
arena.

In place: the output rows of a layer whose kernel reads before it writes (depthwise, element-wise) lie where the oldest
row of its window dies, if they are used up before that buffer takes the next row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from tinyedge.kernels.contract import Cost, Kernel
from tinyedge.ops.contract import Layer
from tinyedge.plan.flow import Call, Flow, bits
from tinyedge.plan.liveness import aligned
from tinyedge.plan.rows import height, row_bytes, sums_bytes

ALIGNMENT = 4
STATE_BYTES = 8
"""at the end of the strip of a group whose rows arrive one by one: how far it has come"""
_CALL_CYCLES = 34
"""the entry of the table, the branch to its case, arguments and return"""
_SLIDE_CYCLES_PER_WORD = 1.4
_COPY_CYCLES_PER_WORD = 1.2
_COPY_CYCLES = 30
CODE_BYTES = 96
CASE_BYTES = 60
"""machine code of a layer beside its kernel"""
SUM_CYCLES_PER_CELL = 3.3
SUM_CYCLES_PER_OUTPUT = 24


@dataclass(frozen=True)
class RowBuffer:
    """Rows of a tensor in the strip. `left` bytes of border lie in front of each row; `at` is its offset."""

    tensor: int
    rows: int
    pitch: int
    left: int
    at: int = 0

    @property
    def bytes(self) -> int:
        return self.rows * self.pitch


@dataclass(frozen=True, eq=False)
class Part:
    """Some rows of a layer, and the kernel that computes them; `kernel` None: rows are added up.

    in_place_offsets  as the kernel gave them, for each input
    """

    layer: Layer
    kernel: Kernel | None
    cost: Cost
    scratch_bytes: int
    in_place_offsets: tuple[int | None, ...] = ()


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


@dataclass(frozen=True, eq=False)
class Stream:
    """A group that starts with layer `first` of a flow.

    parts     (position, rows of a call) -> what computes them
    buffers   tensor -> its rows in the strip
    in_place  tensor -> the input of its layer in whose dying rows it lies
    scratch   position -> offset of its kernel's scratch in the strip
    leads     tensor read from outside -> how far the output must start below it to overlap it
    """

    flow: Flow
    first: int
    parts: Mapping[tuple[int, int], Part]
    buffers: Mapping[int, RowBuffer]
    in_place: Mapping[int, int]
    scratch: Mapping[int, int]
    strip_bytes: int
    leads: Mapping[int, int]
    cost: Cost
    loaded: frozenset[int] = field(default_factory=frozenset)
    """tensors from outside that are copied row by row"""

    @property
    def last(self) -> int:
        return self.flow.last

    @property
    def layers(self) -> tuple[Layer, ...]:
        """In order of execution."""
        return tuple(layer for at, layer in self.flow.layers.items() if at >= self.first)

    @property
    def output(self) -> int:
        """The tensor that it computes."""
        return self.flow.layers[self.last].outputs[0].index

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """The tensors that it reads from outside, in the order of first use."""
        return outside_tensors(self.flow, self.first)

    @cached_property
    def calls(self) -> tuple[PlacedCall, ...]:
        """In order, each with its addresses."""
        return tuple(_Placer(self).placed())

    def layer_cost(self, position: int) -> Cost:
        """What one layer takes in all its calls."""
        return _layer_cost(self.flow, self.parts, position)


def outside_tensors(flow: Flow, first: int) -> tuple[int, ...]:
    """The tensors that layers from `first` on read and do not compute, in the order of first use."""
    keys = [tensor.index for at, layer in flow.layers.items() if at >= first for tensor in layer.inputs]
    return tuple(dict.fromkeys(key for key in keys if flow.made_by.get(key, -1) < first))


def _layer_cost(flow: Flow, parts: Mapping[tuple[int, int], Part], position: int) -> Cost:
    calls = flow.runs[position]
    costs = [parts[position, rows].cost for rows in sorted(calls)]
    cycles = sum(times * (parts[position, rows].cost.cycles + _CALL_CYCLES) for rows, times in calls.items())
    shared = {name: size for cost in costs for name, size in cost.shared_code}
    # Parts of a convolution have their weights in common; other kernels put sizes among theirs.
    constants = [cost.constant_bytes for cost in costs]
    return Cost(
        cycles,
        sum(cost.code_bytes for cost in costs),
        max(constants) if flow.layers[position].name == "conv_2d" else sum(constants),
        tuple(shared.items()),
    )


# -- addresses -------------------------------------------------------------------------------------------------------


class _Placer:
    """Goes through the calls and says where everything lies."""

    def __init__(self, stream: Stream) -> None:
        self.stream, self.flow = stream, stream.flow
        self.newest = dict.fromkeys(self.flow.tensors, -1)
        self.at: dict[int, tuple[int, int]] = {}
        """tensor in place -> (offset, first row) of its rows now"""

    def placed(self) -> Iterator[PlacedCall]:
        stream, flow = self.stream, self.flow
        for call in flow.calls:
            if call.action == "run":
                if call.of >= stream.first:
                    yield self._run(call)
            elif call.of in stream.buffers and (call.action != "load" or call.of in stream.loaded):
                yield self._fill(call)
            elif call.action != "begin":
                self.newest[call.of] += 1
            if call.action == "run" and call.of < stream.first:
                output = flow.layers[call.of].outputs[0].index
                # What an earlier layer computes in its flow lies whole here: its rows are loaded, or read in place.
                for row in range(call.first, call.first + call.count):
                    if output in stream.loaded:
                        yield self._fill(Call("load", output, row))
                    else:
                        self.newest[output] += 1

    def _slide(self, tensor: int, rows: int) -> Slide | None:
        buffer = self.stream.buffers[tensor]
        kept = (buffer.rows - rows) * buffer.pitch
        return Slide(buffer.at, rows * buffer.pitch, kept) if kept else None

    def _fill(self, call: Call) -> PlacedCall:
        buffer = self.stream.buffers[call.of]
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
        if output.index == self.stream.output:
            write = Place(output.index, call.first * size, call.first, call.count, size, size, whole=True)
        elif output.index in self.stream.in_place:
            source = next(place for place in reads if place.tensor == self.stream.in_place[output.index])
            write = Place(output.index, source.offset, call.first, call.count, size, size, whole=False)
            self.at[output.index] = source.offset, call.first
        else:
            buffer = self.stream.buffers[output.index]
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
        if tensor not in self.stream.buffers:
            return Place(tensor, first * size, first, rows, size, size, whole=True)
        buffer = self.stream.buffers[tensor]
        slot = buffer.rows - 1 - (self.newest[tensor] - first)
        offset = buffer.at + slot * buffer.pitch + buffer.left - given_left(self.flow, position, tensor)
        return Place(tensor, offset, first, rows, buffer.pitch, size, whole=False)


def given_left(flow: Flow, position: int, tensor: int) -> int:
    """Bytes in front of a row that are part of what a reader is given: its border to the left."""
    layer = flow.layers[position]
    if layer.name != "conv_2d" or not flow.readings[position].beside:
        return 0
    return int(layer.params.window.pad_left) * cell_bytes(flow, tensor)


def cell_bytes(flow: Flow, tensor: int) -> int:
    """Bytes of a pixel."""
    image = flow.tensors[tensor]
    return image.shape[3] * image.dtype.bytes


# -- buffers ---------------------------------------------------------------------------------------------------------


def buffer_of(flow: Flow, tensor: int, first: int) -> RowBuffer | None:
    """The rows of a tensor as its readers from `first` on take them; None where no kernel could."""
    made = flow.made_by.get(tensor, -1)
    return _find_buffer(flow, tensor, made if made >= first else first)


@lru_cache(maxsize=512)
def _find_buffer(flow: Flow, tensor: int, first: int) -> RowBuffer | None:
    image, cell = flow.tensors[tensor], cell_bytes(flow, tensor)
    readers = [flow.layers[at] for at in flow.readers(tensor, first)]
    rows, left, columns = flow.rows[tensor], 0, image.shape[2]
    if tensor in flow.columns:
        left, columns = flow.columns[tensor]
    by_columns = tensor in flow.columns or (rows > 1 and any(layer.name == "conv_2d" for layer in readers))
    while by_columns and rows > 1 and not flow.pieces[tensor] and columns * cell % ALIGNMENT:
        columns += 1  # conv_2d takes rows of any width
    pitch = columns * cell
    if flow.pieces[tensor] and pitch != row_bytes(image):
        return None
    if not by_columns and not flow.pieces[tensor]:
        pitch = aligned(pitch, ALIGNMENT)
    if rows > 1 and pitch % ALIGNMENT:
        return None
    buffer = RowBuffer(tensor, rows, pitch, left * cell)
    maker = flow.made_by.get(tensor, -1)
    written_by_kernel = maker >= first
    if written_by_kernel and max(flow.runs[maker]) > 1 and pitch != row_bytes(image):
        return None  # kernels write rows one behind the other
    offsets = [buffer.left] * written_by_kernel
    offsets += [buffer.left - given_left(flow, at, tensor) for at in flow.readers(tensor, first)]
    return None if any(offset % ALIGNMENT for offset in offsets) else buffer


def read_in_place(flow: Flow, tensor: int, first: int) -> bool:
    """Whether rows of a whole tensor can be read where they are: no border is asked for, all rows are aligned."""
    if tensor in flow.fill or tensor in flow.arriving:
        return False
    size = row_bytes(flow.tensors[tensor])
    steps = {flow.readings[at].step for at in flow.readers(tensor, first)}
    return all(size * step % ALIGNMENT == 0 for step in steps)


# -- packing ---------------------------------------------------------------------------------------------------------


def pack(blocks: Sequence[tuple[int, int]]) -> tuple[int, list[int]]:
    """(bytes in all, offset of each) of blocks of (bytes, calls at which each is in use): the best of three orders."""
    sizes = [aligned(size, ALIGNMENT) for size, _ in blocks]
    busy = [live.bit_count() for _, live in blocks]
    everything = range(len(blocks))
    orders = (
        sorted(everything, key=lambda i: -sizes[i]),
        sorted(everything, key=lambda i: (-busy[i], -sizes[i])),
        sorted(everything, key=lambda i: -sizes[i] * busy[i]),
    )
    best: tuple[int, list[int]] | None = None
    for order in orders:
        offsets = [-1] * len(blocks)
        for i in order:
            taken = sorted(
                (offsets[j], offsets[j] + sizes[j])
                for j in everything
                if offsets[j] >= 0 and blocks[i][1] & blocks[j][1]
            )
            at = 0
            for start, end in taken:
                if start >= at + sizes[i]:
                    break
                at = max(at, end)
            offsets[i] = at
        top = max((offsets[i] + sizes[i] for i in everything), default=0)
        if best is None or top < best[0]:
            best = top, offsets
    assert best is not None
    return best


def make_stream(flow: Flow, first: int, parts: Mapping[tuple[int, int], Part]) -> Stream | None:
    """The group of a flow's layers from `first` on, with given kernels; None where no kernel takes rows as they lie."""
    outside = outside_tensors(flow, first)
    output = flow.layers[flow.last].outputs[0]
    if flow.readings[flow.last].kind != "sums" and row_bytes(output) % ALIGNMENT:
        return None
    loaded = frozenset(key for key in outside if not read_in_place(flow, key, first))
    inner = [key for key, at in flow.made_by.items() if first <= at < flow.last]
    buffers: dict[int, RowBuffer] = {}
    for key in (*loaded, *inner):
        buffer = buffer_of(flow, key, first)
        if buffer is None:
            return None
        buffers[key] = buffer
    in_place = _find_in_place(flow, first, parts, buffers)
    spans = {key: flow.spans[key] for key in buffers}
    for key, source in in_place.items():
        spans[source] |= spans.pop(key)
        del buffers[key]
    blocks = [(buffers[key].bytes, spans[key]) for key in buffers]
    scratch = _scratch_blocks(flow, first, parts)
    strip_bytes, offsets = pack([*blocks, *((size, live) for size, live in scratch.values())])
    placed = {
        key: RowBuffer(key, buffer.rows, buffer.pitch, buffer.left, offset)
        for (key, buffer), offset in zip(buffers.items(), offsets, strict=False)
    }
    scratch_at = dict(zip(scratch, offsets[len(blocks) :], strict=True))
    cost = _stream_cost(flow, first, parts, placed, loaded)
    leads = {key: find_lead(flow, first, key, key in loaded) for key in outside}
    if arrives(flow, first):
        strip_bytes += STATE_BYTES
    return Stream(flow, first, parts, placed, in_place, scratch_at, strip_bytes, leads, cost, loaded)


def arrives(flow: Flow, first: int) -> bool:
    """Whether the group that starts there is given the rows that it reads from outside one by one."""
    return any(key in flow.arriving for key in outside_tensors(flow, first))


def _scratch_blocks(flow: Flow, first: int, parts: Mapping[tuple[int, int], Part]) -> dict[int, tuple[int, int]]:
    """Position -> (bytes of scratch, calls at which it is in use), where a layer has any."""
    found = {}
    for at in flow.layers:
        if at < first:
            continue
        live = flow.run_bits[at]
        size = max(parts[at, rows].scratch_bytes for rows in flow.runs[at])
        if flow.readings[at].kind == "sums":
            size = sums_bytes(flow.layers[at])
            live = bits((live & -live).bit_length() - 1, live.bit_length() - 1)
        if size:
            found[at] = size, live
    return found


def _find_in_place(
    flow: Flow,
    first: int,
    parts: Mapping[tuple[int, int], Part],
    buffers: Mapping[int, RowBuffer],
) -> dict[int, int]:
    """Tensor -> the input of its layer in whose dying rows it can lie."""
    found: dict[int, int] = {}
    for at, layer in flow.layers.items():
        output = layer.outputs[0].index
        if at < first or at == flow.last or output in flow.fill or layer.name == "conv_2d":
            continue
        used = [parts[at, rows] for rows in flow.runs[at]]
        for position, tensor in enumerate(layer.inputs):
            source = buffers.get(tensor.index)
            if source is None or source.left or tensor.index in found or flow.readers(tensor.index, first) != [at]:
                continue
            offsets = {part.in_place_offsets[position] for part in used if part.kernel is not None}
            size = row_bytes(layer.outputs[0])
            ends = {rows * size - back[position] * source.pitch for rows, back in flow.run_kinds[at]}
            dying = flow.readings[at].step * source.pitch
            fits = size <= dying and len(ends) == 1 and flow.rows[output] == max(flow.runs[at])
            apart = flow.rows[output] == 1 or source.pitch == row_bytes(tensor)
            if offsets == {0} and fits and apart and not flow.spans[output] & flow.push_bits[tensor.index]:
                found[output] = tensor.index
                break
    return found


def _stream_cost(
    flow: Flow,
    first: int,
    parts: Mapping[tuple[int, int], Part],
    buffers: Mapping[int, RowBuffer],
    loaded: frozenset[int],
) -> Cost:
    """All layers' costs, with sliding, copying and borders."""
    costs = [_layer_cost(flow, parts, at) for at in flow.layers if at >= first]
    cycles = float(sum(cost.cycles for cost in costs))
    for key, buffer in buffers.items():
        cycles += flow.borders[key] * (_COPY_CYCLES + buffer.pitch / 4)
        if buffer.rows > 1:
            slid = (buffer.bytes - buffer.pitch) / 4 * _SLIDE_CYCLES_PER_WORD
            cycles += flow.push_bits[key].bit_count() * (_COPY_CYCLES + slid)
        if key in loaded:
            rows = height(flow.tensors[key])
            cycles += rows * (_COPY_CYCLES + row_bytes(flow.tensors[key]) / 4 * _COPY_CYCLES_PER_WORD)
    calls = sum(flow.runs[at].total() for at in flow.layers if at >= first)
    calls += sum(flow.borders[key] + 1 for key in buffers)
    shared = {name: size for cost in costs for name, size in cost.shared_code}
    code = sum(cost.code_bytes for cost in costs) + CODE_BYTES + CASE_BYTES * len(costs)
    constants = sum(cost.constant_bytes for cost in costs) + calls
    return Cost(int(cycles), code, constants, tuple(shared.items()))


def find_lead(flow: Flow, first: int, tensor: int, loaded: bool) -> int:
    """How far the output must start below a tensor that dies in the group, so that no row is overwritten unread."""
    size = row_bytes(flow.tensors[tensor])
    output = flow.layers[flow.last].outputs[0]
    sums = flow.readings[flow.last].kind == "sums"
    unread: int | None = None
    lead = 0
    maker = flow.made_by.get(tensor)
    for call in reversed(flow.calls):
        reads = None
        if call.action == "load" and call.of == tensor:
            reads = call.first if loaded else None
        elif call.action == "run" and call.of >= first and not loaded:
            if any(each.index == tensor for each in flow.layers[call.of].inputs):
                reading = flow.readings[call.of]
                reads = call.first if reading.kind == "sums" else reading.first_row(call.first)
        elif call.action == "run" and call.of == maker and loaded:
            reads = call.first
        written = call.action == "run" and call.of == flow.last
        if written and sums:
            written = call.first + call.count == height(flow.layers[call.of].inputs[0])
        if written and reads is not None:  # the kernel may write before it has read all
            unread = reads if unread is None else min(unread, reads)
        if written and unread is not None:
            end = output.bytes if sums else (call.first + call.count) * row_bytes(output)
            lead = max(lead, end - unread * size)
        if not written and reads is not None:
            unread = reads if unread is None else min(unread, reads)
    return lead
